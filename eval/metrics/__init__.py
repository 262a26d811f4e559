"""One file a metric: a pure function from ranks or relevance to one value for each question."""
