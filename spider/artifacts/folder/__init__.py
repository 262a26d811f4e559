"""The folder of an artifact: its manifest and table of files, and how another one replaces it."""
