"""Encoders that are a table of word-piece vectors: the module, its checkpoints, and inference."""
