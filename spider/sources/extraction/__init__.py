"""Text out of a file's bytes: one file per file type."""
