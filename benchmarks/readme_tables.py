"""Writes the measured tables of README.md from ``benchmarks/results``.

    python -m benchmarks.readme_tables

A table is between ``<!-- table NAME -->`` and ``<!-- end -->``; a test checks that README.md is
what this writes.
"""

import re
from pathlib import Path
from typing import Any

from benchmarks.jamba.tables import jamba_table
from spider.artifacts.atomic_files import write_text
from spider.reading import read_json

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
MEASURES = {"top_1": "top-1", "top_5": "top-5", "top_20": "top-20", "top_100": "top-100"}
ORDER = (
    "bm25", "untrained", "static-dense", "static-hybrid", "untouched-dense", "untouched-hybrid",
    "student-dense", "student-hybrid", "dense", "hybrid",
)  # fmt: skip


def render(text: str) -> str:
    """Return the README with every table written again."""
    return BLOCK.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)


def demo_table() -> str:
    """Return the tables of ``make demo``."""
    return _pipeline_tables("demo")


def wiki_table() -> str:
    """Return the tables of the Wikipedia pipeline."""
    return _pipeline_tables("wiki")


def speed_table() -> str:
    """Return the figures of speed and memory, each with its command."""
    rows = [
        *_speed_of_mining(),
        *_speed_of_encoding(),
        *_speed_of_search(),
        *_speed_of_start(),
    ]
    lines = ["| what | measured | command |", "|---|---|---|"]
    lines += [f"| {what} | {measured} | `{command}` |" for what, measured, command in rows]
    return "\n".join(lines) + "\n" + _origin(read_json(RESULTS / "start_up.json"))


def _pipeline_tables(name: str) -> str:
    results = read_json(RESULTS / f"{name}.json")
    lines = [
        "| questions | system | " + " | ".join(MEASURES.values()) + " | against BM25, top-20 |"
    ]
    lines.append("|---" * (len(MEASURES) + 3) + "|")
    for report in results["reports"].values():
        lines += _report_rows(report)
    seconds = sum(stage["seconds"] for stage in results["stages"].values())
    memory = max(stage["peak_memory_mib"] or 0 for stage in results["stages"].values())
    cost = f"\nStages: {seconds / 60:.1f} minutes in all, peak memory {memory / 1024:.1f} GiB.\n"
    return "\n".join(lines) + "\n" + cost + _origin(results)


def _report_rows(report: dict[str, Any]) -> list[str]:
    questions = report["question_set"]
    name = f"{questions['name']} ({questions['questions']:,})"
    against = {c["system"]: c for c in report["comparisons"]}
    rows = []
    for system in (system for system in ORDER if system in report["systems"]):
        cells = [_interval(report["systems"][system][measure]) for measure in MEASURES]
        rows.append(
            f"| {name} | {system} | {' | '.join(cells)} | {_verdict(against.get(system))} |"
        )
        name = ""
    return rows


def _interval(value: dict[str, float]) -> str:
    return f"{100 * value['value']:.1f} [{100 * value['low']:.1f}, {100 * value['high']:.1f}]"


def _verdict(comparison: dict[str, Any] | None) -> str:
    if comparison is None:
        return ""
    p = comparison["p_holm"]
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    doubt = "" if comparison["distinguishable"] else ": not distinguishable"
    return f"{100 * comparison['difference']:+.1f}, {shown}{doubt}"


def _speed_of_mining() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "mining.json")
    return [
        (
            f"recurring spans, `{mode}` rules, one core",
            f"{found['words_per_second'] / 1e6:.1f} M words/s; clusters of "
            f"{found['articles_with_identical_clusters']:,} of {results['articles']:,} articles "
            "identical to the reference",
            "python -m benchmarks.mining ARTICLES.jsonl.xz",
        )
        for mode, found in results["modes"].items()
    ]


def _speed_of_encoding() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "encoding.json")
    found = results["inference"]
    ratio = found["spider_per_s"] / found["sentence_transformers_per_s"]
    measured = (
        f"{found['spider_first_pass_per_s']:,} passages/s on words not met before, "
        f"{found['spider_per_s']:,} after: {ratio:.1f} × sentence-transformers on this checkpoint"
    )
    return [
        (
            "`static` encoding with tokenisation",
            measured,
            "python -m benchmarks.encoding --corpus ARTICLES.jsonl.xz",
        )
    ]


def _speed_of_search() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "hybrid_latency.json")
    found = results["hybrid"]
    what = f"one hybrid question, k′ 1,000, {results['passages']:,} passages, warm"
    measured = f"p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms"
    return [(what, measured, "python -m benchmarks.hybrid_latency WORKSPACE")]


def _speed_of_start() -> list[tuple[str, str, str]]:
    results = read_json(RESULTS / "start_up.json")
    seconds = results["median_seconds"]["spider --help"]
    return [("`spider --help`", f"{seconds * 1000:.0f} ms", "python -m benchmarks.start_up")]


def _origin(results: dict[str, Any]) -> str:
    date = results["finished"][:10]
    where = f"{results['cores']} cores of {results['processor']}, no GPU"
    commits = ", ".join(results.get("stage_commits", [results["commit"]]))
    return f"\n<sub>{date}, commit {commits}, {where}.</sub>\n"


TABLES = {"demo": demo_table, "wiki": wiki_table, "speed": speed_table, "jamba": jamba_table}


def main() -> None:
    """Write README.md."""
    write_text(README, render(README.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
