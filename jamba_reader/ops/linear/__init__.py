"""Linear maps: torch's, but for a few float32 rows on a CPU."""
