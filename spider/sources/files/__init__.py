"""Files as people have them: compressed, damaged, huge or unreadable; every limit on input."""
