"""WordPiece over UTF-8 bytes, compiled: the ids and offsets of the tokenizers library."""
