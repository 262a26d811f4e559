"""The report of a retrieval evaluation: reads runs, writes files."""
