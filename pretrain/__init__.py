"""From documents to recurring spans, contrastive pairs, and a trained encoder."""
