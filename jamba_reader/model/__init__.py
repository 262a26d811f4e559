"""The Jamba language model: layers, decoding step, loading and memory budget."""
