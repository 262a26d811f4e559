"""Byte-level vocabularies, the bytes of tokens, and streamed text."""
