"""Dense indexes: one file for each variant."""
