"""Training a Jamba language model on a corpus."""
