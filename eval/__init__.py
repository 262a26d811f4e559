"""Rankings become numbers with intervals, paired tests and tables. Loads no model."""
