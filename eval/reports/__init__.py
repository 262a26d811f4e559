"""Reports: numbers with intervals and paired tests, as JSON, Markdown, LaTeX and SVG."""
