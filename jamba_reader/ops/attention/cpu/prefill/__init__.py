"""Attention of prompts on a CPU with AVX-512."""
