"""Health checks: what `spider doctor` looks at."""
