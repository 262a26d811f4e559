"""Artifacts on disk: folders with a manifest, and the stages that write them."""
