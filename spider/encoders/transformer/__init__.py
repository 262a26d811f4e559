"""Encoders that are transformers: the module, its checkpoints, and inference."""
