"""Function words by language, and which language a text is written in."""
