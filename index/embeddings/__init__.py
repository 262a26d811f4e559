"""Embeddings: the vector of each passage, written shard by shard."""
