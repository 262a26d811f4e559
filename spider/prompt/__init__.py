"""Prompts at which a person types."""
