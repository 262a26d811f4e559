"""The training loop of every trainer: schedule, steps, checkpoints, exact resume, metrics."""
