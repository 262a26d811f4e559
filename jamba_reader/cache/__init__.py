"""The cache of a Jamba model: the state of each sequence between calls, in memory and on disk."""
