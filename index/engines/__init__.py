"""Search over a whole index: dense and sparse search, fused."""
