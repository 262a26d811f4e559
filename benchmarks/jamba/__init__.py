"""Measures the Jamba engine on a CPU, and compares it with transformers where possible."""
