"""The reader: a Jamba language model, its kernels, and the code that answers questions with it."""
