"""Parts of running a pipeline: conditions of its stages, and what is said at the end."""
