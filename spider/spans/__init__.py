"""Recurring spans on disk."""
