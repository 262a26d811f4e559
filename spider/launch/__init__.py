"""The only code that knows Hydra: command line to typed configuration to a verb's main."""
