"""Fusion: several rankings of the same questions become one; one file for each variant."""
