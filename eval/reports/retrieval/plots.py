"""Top-k accuracy curves as SVG. Needs matplotlib, of the extra ``eval``."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from eval.metrics.top_k_accuracy import top_k_accuracy
from eval.reports.significance import Sampling, bootstrap_means, mean, percentile_interval
from spider.artifacts.atomic_files import write_atomically
from spider.errors import MissingDependencyError
from spider.printable import printable

# a drawn band needs less precision than a number in a table, so fewer resamples suffice
BAND_RESAMPLES = 1_000


def write_top_k_curves(
    path: Path,
    ranks: Mapping[str, Integer[np.ndarray, " questions"]],
    sampling: Sampling,
    *,
    depth: int,
    confidence: float,
    seed: int,
    title: str,
) -> None:
    """Draw each system's top-k accuracy for k from 1 to ``depth``, with its interval as a band.

    Args:
        path: the SVG file; its bytes depend only on the arguments and the version of matplotlib.
        ranks: by system, the rank of each question's first hit, 0 where there is none.
        sampling: clusters and groups of the questions.
        depth: largest k.
        confidence: confidence of the bands.
        seed: seed of the bootstrap.
        title: above the axes.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("plot=true needs matplotlib", extra="eval") from error
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    cut_offs = np.arange(1, depth + 1)
    for name, own in ranks.items():
        values = np.stack([top_k_accuracy(own, int(k)) for k in cut_offs], axis=1)
        samples = bootstrap_means(values, sampling, resamples=BAND_RESAMPLES, seed=seed)
        low, high = percentile_interval(samples, confidence)
        (line,) = axes.plot(cut_offs, 100 * mean(values, sampling), label=_label(name))
        axes.fill_between(cut_offs, 100 * low, 100 * high, alpha=0.2, color=line.get_color())
    axes.set_xscale("log")
    ticks = [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k <= depth]
    axes.set_xticks(ticks, [str(k) for k in ticks])
    axes.minorticks_off()
    axes.set_xlabel("k (passages)")
    axes.set_ylabel("top-k accuracy (%)")
    axes.set_title(_label(title))
    axes.legend()
    axes.grid(alpha=0.3)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "spider"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    write_atomically(path, lambda file: file.write(buffer.getvalue()))


def _label(text: str) -> str:
    """Return text that matplotlib draws as it is: no formula, and no label that it leaves out."""
    drawn = printable(" ".join(text.split())).replace("$", r"\$")
    # matplotlib leaves labels that begin with an underscore out of the legend
    return f" {drawn}" if drawn.startswith("_") else drawn
