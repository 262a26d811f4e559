"""Byte-level vocabularies, token bytes and streamed text."""
