"""Fusion of a dense and a sparse ranking: one file per variant."""
