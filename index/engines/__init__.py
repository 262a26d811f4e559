"""Search engines: one file for each variant; and what builds, opens and searches an index."""
