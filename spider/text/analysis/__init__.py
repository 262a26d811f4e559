"""Texts to the terms of BM25: published analyzers, a person's own words, and questions."""
