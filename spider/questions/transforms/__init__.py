"""Query transforms: one file for each rule that makes a query from a passage."""
