"""Health checks, which `spider doctor` runs."""
