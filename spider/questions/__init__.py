"""Sources of questions: one file for each format."""
