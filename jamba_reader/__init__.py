"""The reader: a Jamba language model, its kernels, and what answers over passages with it."""
