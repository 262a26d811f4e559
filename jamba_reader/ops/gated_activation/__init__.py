"""Gated feed-forward activation: ``act(gate) * up`` in one pass."""
