"""Encoders: text → vectors. One file per variant."""
