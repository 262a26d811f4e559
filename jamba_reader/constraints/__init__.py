"""Constraints on generated text: quotes of given documents, with exact places."""
