"""How many updates fit into a time budget."""

from collections.abc import Sequence

PROBES = 5


def steps_within(
    seconds: float,
    *,
    step_times: Sequence[float],
    overheads: Sequence[tuple[float, int]] = (),
) -> int:
    """Return how many updates fit, at least 1.

    The first probe is left out, since it pays for what is compiled and allocated once, and the
    median of the others is taken; one more of each overhead is set aside for the run's end.

    Args:
        seconds: the budget that is left.
        step_times: seconds of the probes.
        overheads: (seconds, every how many updates) of validation and saving.
    """
    warm = sorted(step_times[1:] or step_times)
    each = warm[len(warm) // 2] + sum(cost / every for cost, every in overheads)
    left = seconds - sum(cost for cost, _ in overheads)
    return max(1, int(left / max(each, 1e-9)))
