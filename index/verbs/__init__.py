"""Command modules: `embed`, `build` and `search`."""
