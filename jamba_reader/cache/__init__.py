"""What a model keeps of each sequence between two calls, in memory and on disk."""
