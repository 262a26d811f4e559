"""From a command line to a verb's typed settings. Only this package imports Hydra."""
