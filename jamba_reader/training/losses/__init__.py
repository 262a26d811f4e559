"""The losses of a language model and its routers."""
