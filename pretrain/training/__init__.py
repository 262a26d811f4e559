"""Contrastive training: batches, objective, validation and the training run."""
