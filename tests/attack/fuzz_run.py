"""Runs every parser on damaged files: each case is a valid result or one typed error of one line.

    python -m tests.attack.fuzz_run --cases 150000 --output benchmarks/results/attack_fuzz.json
    python -m tests.attack.fuzz_run --only jsonl --first 1234 --cases 1     # one case again

Parsers run in child processes: a crash or a hang of native code counts as a failure of its case.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from spider.errors import SpiderError
from tests.attack.fuzz_mutations import CONTENTS, mutate

#: seconds of processor time that one case may take; the largest valid seed takes 0.2
LIMIT = 10.0
#: bytes of address space of a child process, libraries included
MEMORY = 12 << 30
CASES_OF_A_CHILD = 4_000
#: of so many cases over all parsers every parser gets at least one: 500 of 150,000
FLOOR = 300
#: seconds without a finished case after which a child is killed
PATIENCE = 120
SLOW, UNTYPED, TWO_LINES, CRASH = "too slow", "untyped", "more than one line", "crash"
#: the input without damage is not read
REFUSED = "refused seed"
FAILURES = (SLOW, UNTYPED, TWO_LINES, CRASH, REFUSED)


class Parser(NamedTuple):
    """What is attacked.

    Attributes:
        name: of the parser.
        files: a valid input: the content of each file by its relative path.
        run: reads the input completely.
        damaged: the files that are damaged; all without it.
        share: cases, relative to those of the other parsers.
    """

    name: str
    files: dict[str, bytes]
    run: Callable[[Path], object]
    damaged: tuple[str, ...] = ()
    share: float = 1.0


class Case(NamedTuple):
    """The result of one case: what happened, and where."""

    number: int
    file: str
    outcome: str
    detail: str = ""


class TooSlowError(BaseException):
    """The time of a case is over; no parser catches it."""


def cases(parser: Parser, numbers: range, folder: Path, seed: int = 0) -> Iterator[Case]:
    """Run some cases of a parser.

    Args:
        parser: the parser.
        numbers: which cases; the first ones are the hand-written contents of every file.
        folder: an empty folder that the cases may use.
        seed: decides the mutations.
    """
    previous = signal.signal(signal.SIGPROF, _too_slow)
    try:
        _write(parser, folder)
        for number in numbers:
            yield _case(parser, number, folder, seed)
    finally:
        signal.signal(signal.SIGPROF, previous)


def _too_slow(number: int, frame: object) -> None:
    raise TooSlowError


def _write(parser: Parser, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in parser.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _case(parser: Parser, number: int, folder: Path, seed: int) -> Case:
    name, damage = damage_of(parser, number, seed)
    file = folder / name
    damage(file)
    outcome, detail = _outcome(parser, folder)
    if damage is _unchanged and outcome != "valid":
        outcome, detail = REFUSED, f"{outcome} {detail}"
    try:
        file.unlink(missing_ok=True)
        file.write_bytes(parser.files[name])
        if set(folder.iterdir()) != {folder / one.partition("/")[0] for one in parser.files}:
            raise OSError("the parser wrote here")
    except OSError:
        _write(parser, folder)
    return Case(number, name, outcome, detail)


def damage_of(parser: Parser, number: int, seed: int) -> tuple[str, Callable[[Path], object]]:
    """Return the file that a case damages, and how."""
    names = parser.damaged or tuple(sorted(parser.files))
    turn, place = divmod(number, len(names))
    name = names[place]
    if turn < len(SITUATIONS):
        return name, SITUATIONS[turn]
    turn -= len(SITUATIONS)
    if turn < len(CONTENTS):
        return name, lambda file: file.write_bytes(CONTENTS[turn])
    rng = random.Random(f"{seed}/{parser.name}/{number}")  # noqa: S311
    content = mutate(name, parser.files[name], rng)
    return name, lambda file: file.write_bytes(content)


def _absent(file: Path) -> None:
    file.unlink()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def _device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def _unchanged(file: Path) -> None:
    pass


#: what may be in a file's place
SITUATIONS = (_unchanged, _absent, _folder, _pipe, _loop, _device)


def _outcome(parser: Parser, folder: Path) -> tuple[str, str]:
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser.run(folder)
    except SpiderError as error:
        if "\n" in str(error):
            return TWO_LINES, repr(str(error))
        return type(error).__name__, str(error)
    except TooSlowError:
        return SLOW, _where()
    except (Exception, BaseExceptionGroup) as error:
        return UNTYPED, f"{type(error).__name__}: {str(error)[:200]!r} {_where()}"
    except BaseException as error:
        # a panic of a library in Rust
        if isinstance(error, KeyboardInterrupt):
            raise
        return UNTYPED, f"{type(error).__name__}: {str(error)[:200]!r} {_where()}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "valid", ""


def _where() -> str:
    frames = traceback.extract_tb(sys.exc_info()[2])
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-8:-1])


def child(name: str, numbers: range, seed: int) -> None:
    """Run cases in this process and print each result as a line of JSON."""
    from tests.attack.fuzz_parsers import parser_of

    os.nice(10)
    # SPIDER_FUZZ holds the folder of the seeds that take long to make
    found = parser_of(name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    out = os.fdopen(os.dup(1), "w")
    # what libraries print is not a result
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        for case in cases(found, numbers, Path(folder) / "x", seed):
            out.write(json.dumps(case) + "\n")
            out.flush()


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def run_children(name: str, numbers: range, seed: int) -> Iterator[Case]:
    """Run cases in child processes; one that dies costs one case."""
    following = numbers.start
    while following < numbers.stop:
        until = min(following + CASES_OF_A_CHILD, numbers.stop)
        command = [
            sys.executable,
            "-m",
            "tests.attack.fuzz_run",
            "--child",
            name,
            str(following),
            str(until),
            str(seed),
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            begun = following
            while following < until:
                signal.alarm(PATIENCE)
                try:
                    line = process.stdout.readline()
                except TimeoutError:
                    process.kill()
                    line = b""
                signal.alarm(0)
                if not line:
                    break
                yield Case(*json.loads(line))
                following += 1
            process.wait()
        if following == begun and process.returncode > 0:
            raise RuntimeError(f"no case of {name} runs; try --child {name} {begun} {until} {seed}")
        if following < until:
            yield Case(following, "", CRASH, f"exit {process.returncode}")
            following += 1


def main() -> None:
    """Attack and write the counts."""
    options = _options()
    if options.child:
        name, first, stop, seed = options.child
        child(name, range(int(first), int(stop)), int(seed))
        return
    from tests.attack.fuzz_parsers import makers, shares_of

    def alarm(number: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, alarm)
    started = time.monotonic()
    chosen = shares_of(options.only or [*makers()])
    counts: dict[str, Counter[str]] = {}
    failures: list[dict[str, Any]] = []
    for name, share in chosen.items():
        shared = round(options.cases * share / sum(chosen.values()))
        wanted = options.each or max(shared, options.cases // FLOOR)
        counts[name] = Counter()
        begun = time.monotonic()
        for case in run_children(name, range(options.first, options.first + wanted), options.seed):
            counts[name][case.outcome] += 1
            if case.outcome in FAILURES:
                failures.append({"parser": name, **case._asdict()})
                say(f"  {name} {case.number} {case.file}: {case.outcome} {case.detail[:300]}")
        say(f"{name}: {dict(counts[name])} in {time.monotonic() - begun:.0f} s")
    total = sum((Counter(found) for found in counts.values()), Counter())
    say(f"{sum(total.values())} cases, {dict(total)}, {time.monotonic() - started:.0f} s")
    if options.output:
        _record(options.output, options.seed, counts, failures, time.monotonic() - started)
    sys.exit(1 if failures else 0)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _record(
    output: Path, seed: int, counts: dict[str, Counter[str]], failures: list[Any], seconds: float
) -> None:
    """Write the counts; those of other parsers that are in the file already stay."""
    from spider.artifacts.atomic_files import write_json
    from spider.artifacts.provenance import provenance

    before = json.loads(output.read_text("utf-8")) if output.is_file() else {}
    if before.get("parsers", {}).keys() <= counts.keys():
        before = {}
    parsers = {**before.get("parsers", {}), **counts}
    total = sum((Counter(found) for found in parsers.values()), Counter())
    kept = [failure for failure in before.get("failures", []) if failure["parser"] not in counts]
    earlier = before.get("earlier_runs", [])
    if before:
        earlier = [*earlier, {name: before[name] for name in ("finished", "commit", "command")}]
    result = {
        **provenance(),
        "command": " ".join(["python -m tests.attack.fuzz_run", *sys.argv[1:]]),
        **({"earlier_runs": earlier} if earlier else {}),
        "seed": seed,
        "seconds": round(seconds) + before.get("seconds", 0),
        "limit_seconds_of_a_case": LIMIT,
        "cases": sum(total.values()),
        "valid": total["valid"],
        "typed_errors": sum(n for kind, n in total.items() if kind not in (*FAILURES, "valid")),
        **{kind.replace(" ", "_"): total[kind] for kind in FAILURES},
        "parsers": {name: dict(sorted(found.items())) for name, found in sorted(parsers.items())},
        "failures": [*kept, *failures][:50],
    }
    write_json(output, result)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=150_000, help="over all parsers")
    parser.add_argument("--each", type=int, help="of each parser, in place of its share of --cases")
    parser.add_argument("--first", type=int, default=0, help="number of each parser's first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="names of parsers; --output keeps the others")
    parser.add_argument("--output", type=Path, help="JSON file of the counts")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
