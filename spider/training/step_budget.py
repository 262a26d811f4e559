"""The number of updates that fit into a time budget."""

from collections.abc import Sequence

PROBES = 5


def steps_within(
    seconds: float,
    *,
    step_times: Sequence[float],
    overheads: Sequence[tuple[float, int]] = (),
) -> int:
    """Return how many updates fit, at least 1.

    The first timed step is left out, since it includes compilation and allocation. The time of a
    step is the median of the others. One more of each overhead is reserved for the end of the run.

    Args:
        seconds: the remaining budget.
        step_times: seconds of the timed steps.
        overheads: (seconds, every how many updates) of validation and saving.
    """
    warm = sorted(step_times[1:] or step_times)
    each = warm[len(warm) // 2] + sum(cost / every for cost, every in overheads)
    left = seconds - sum(cost for cost, _ in overheads)
    return max(1, int(left / max(each, 1e-9)))
