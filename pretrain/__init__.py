"""Documents become recurring spans, contrastive pairs, and a trained encoder."""
