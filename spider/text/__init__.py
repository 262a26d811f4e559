"""Text units: words, word pieces and stored tokens."""
