"""Indexes of passages: embeddings, a FAISS index, a BM25 index, and the hybrid over both."""
