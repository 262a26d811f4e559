"""Metrics: one file each, with a pure function from ranks or relevance to a value per question."""
