"""Losses over a batch of queries and passages."""
