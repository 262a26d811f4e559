"""Command modules: `generate`, `train-language-model` and `quantize-reader`."""
