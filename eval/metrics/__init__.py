"""Metrics: one file each, with a pure function from ranks or relevance to one value a question."""
