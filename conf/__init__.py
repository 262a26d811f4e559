"""Hydra's composition root: one yaml per verb, one group per family of variants."""
