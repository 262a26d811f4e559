"""Typed settings: the schema read from constructors, objects built by it, and what is content."""
