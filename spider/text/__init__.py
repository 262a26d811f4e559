"""Text: words, sentences, folding, stop words, tokenizers and stored tokens."""
