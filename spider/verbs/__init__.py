"""Command modules of the ground package: a settings dataclass and `main()` each."""
