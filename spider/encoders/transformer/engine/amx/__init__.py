"""The encoder in one call for each block of passages, with products by AMX."""
