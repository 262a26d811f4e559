"""Dense indexes: one file per variant, behind one interface."""
