"""Cloze questions: a sentence with a question word in place of a span, by rules."""
