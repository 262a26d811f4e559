"""Pairings: rules that draw a query and its positive and negative passages, without labels."""
