"""From rankings to numbers with intervals, paired tests and tables. Loads no model."""
