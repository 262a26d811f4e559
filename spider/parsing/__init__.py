"""Parsers of text that several packages read."""
