"""What kernels share: SIMD lanes, scalar maths, memory by address, threads."""
