"""What the machine offers to compiled kernels."""
