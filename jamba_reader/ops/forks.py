"""Refuses to compute in a fork of a process that has computed, whose threads it does not have."""

import os

from spider.errors import ConfigError

_owner: int | None = None


def refuse_forks() -> None:
    """Remember the process that computes, or find that this one was forked from it.

    A fork has none of its parent's threads. OpenMP then waits for them for ever (prefill), and
    numba ends the process without an error (decoding).

    Raises:
        ConfigError: this process was forked from one that had run the model.
    """
    global _owner
    process = os.getpid()
    if _owner is None:
        _owner = process
    elif _owner != process:
        raise ConfigError(
            f"process {process} was forked from process {_owner}, which had run the model, and has "
            "none of its threads: start processes by multiprocessing.get_context('spawn'), or fork "
            "before the first call of the model"
        )
