"""Command modules: `evaluate-retrieval`."""
