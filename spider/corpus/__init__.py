"""Documents, their passages, and the corpus that stores both."""
