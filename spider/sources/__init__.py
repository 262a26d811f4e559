"""Readers: one file per input format, each an iterator of documents."""
