"""Sparse search: BM25 by Lucene on a bundled Java runtime, or by bm25s without Java."""
