"""The report of a retrieval evaluation: runs in, files out."""
