"""Measures the Jamba engine on a CPU, beside transformers where it has a counterpart."""
