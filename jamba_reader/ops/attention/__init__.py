"""Grouped-query attention over packed sequences and their key-value memory."""
