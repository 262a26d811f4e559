"""Fast inference of BERT-like encoders on a CPU."""
