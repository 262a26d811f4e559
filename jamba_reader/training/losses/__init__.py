"""What a language model and its router are trained on."""
