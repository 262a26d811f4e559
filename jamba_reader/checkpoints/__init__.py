"""Checkpoint files: names, headers, reading and writing tensor by tensor."""
