"""Triton's kernels are interpreted on the CPU in tests; that is decided when it is imported."""

import os

os.environ.setdefault("TRITON_INTERPRET", "1")
