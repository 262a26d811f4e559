"""Search engines, one file for each, and the code that builds, opens and searches an index."""
