"""The learning rate as a function of the step alone."""

import math

from spider.errors import ConfigError


def warmup_steps(steps: int, share: float) -> int:
    """Return the number of warm-up updates among ``steps``.

    Raises:
        ConfigError: the share is not in [0, 1).
    """
    if not 0.0 <= share < 1.0:
        raise ConfigError(f"warmup_share {share}: expected a share of the steps in [0, 1)")
    return min(math.ceil(share * steps), max(steps - 1, 0))


def linear_factor(update: int, *, steps: int, warmup: int) -> float:
    """Return the factor on the peak learning rate at one update.

    It rises linearly to 1 at update ``warmup``, then falls linearly and would reach 0 at update
    ``steps + 1``, so that no update has a rate of zero.

    Source: Ram et al. 2022, section 4.4 (linear warm-up, linear decay).

    Args:
        update: the update's number, from 1 to ``steps``.
        steps: updates of the whole run.
        warmup: updates of the warm-up.
    """
    if update <= warmup:
        return update / warmup
    return max(0.0, (steps + 1 - update) / (steps - warmup))
