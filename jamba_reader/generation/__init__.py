"""Text generation: greedy decoding, sampling and beam search."""
