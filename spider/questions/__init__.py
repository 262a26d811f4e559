"""Question sets: one file per format."""
