"""Distillation: a table of word-piece vectors fitted to the passage vectors of a transformer."""
