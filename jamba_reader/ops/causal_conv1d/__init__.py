"""Depthwise causal convolution over packed sequences, with its activation and a carried history."""
