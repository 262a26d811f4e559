"""Encoders: text → vectors. One file for each variant."""
