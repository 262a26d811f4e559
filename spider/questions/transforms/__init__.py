"""Query transforms: one file for each way to make a query from a passage."""
