"""Command modules: `mine` and `train`."""
