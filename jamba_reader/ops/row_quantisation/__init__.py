"""Rounding of weight rows to int8 with one scale for each row."""
