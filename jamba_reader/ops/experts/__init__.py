"""Feed-forward experts chosen per token, with float or int8 weights (Jamba, arXiv:2403.19887)."""
