"""Embeddings: the vectors of every passage, written shard by shard."""
