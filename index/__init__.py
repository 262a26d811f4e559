"""Passages become embeddings, a FAISS index, a BM25 index, and the hybrid retriever over both."""
