"""Sparse search: BM25 by Lucene on a bundled Java runtime, or by bm25s where no JVM can run."""
