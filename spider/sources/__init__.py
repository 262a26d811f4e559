"""Sources of documents: one file for each input format."""
