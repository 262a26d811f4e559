"""Matching: whether a passage contains an answer, and the rank of the first that does."""
