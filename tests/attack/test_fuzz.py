"""A small part of the attack on every parser; ``make attack`` runs the whole of it.

The hand-written contents come first in every parser's cases, random damage after them.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from spider.errors import DataError
from tests.attack import fuzz_mutations, fuzz_parsers, fuzz_run

#: parsers of files by lines and of small files; the others load libraries or models for each case
QUICK = (
    "jsonl", "jsonl.gz", "jsonl.bz2", "jsonl.xz", "jsonl.zst", "psgs_w100", "beir", "beir_zip",
    "wikiextractor", "extraction.txt", "extraction.md", "extraction.rst",
    "questions_jsonl", "questions_plain_text", "questions_dpr_qa", "questions_curated_trec",
    "questions_entity_questions", "questions_web_questions", "saved_questions", "npy", "tokenizer",
)  # fmt: skip
#: another part of the cases than those of the last release is as good
FIRST, CASES = 5_000, 25


@pytest.mark.parametrize("name", QUICK)
def test_damaged_files_give_a_result_or_one_typed_error(name: str, tmp_path: Path) -> None:
    parser = fuzz_parsers.parser_of(name)
    numbers = [*range(len(fuzz_run.SITUATIONS)), *range(FIRST, FIRST + CASES)]
    found = [
        case
        for number in numbers
        for case in fuzz_run.cases(parser, range(number, number + 1), tmp_path / "x")
    ]
    assert found[0].outcome == "valid", found[0]
    failures = [case for case in found if case.outcome in fuzz_run.FAILURES]
    assert not failures, "\n".join(map(str, failures))


def parser_that(run: Any) -> fuzz_run.Parser:
    return fuzz_run.Parser("x", {"a/b.json": b'{"a": [1, "x"]}'}, run)


def raising(error: BaseException) -> Any:
    def run(place: Path) -> None:
        raise error

    return run


def endless(place: Path) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("run", "outcome"),
    [
        (lambda place: None, "valid"),
        (raising(DataError("x")), "DataError"),
        (raising(ValueError("x")), fuzz_run.UNTYPED),
        (raising(MemoryError()), fuzz_run.UNTYPED),
        (raising(BaseException("x")), fuzz_run.UNTYPED),
        (endless, fuzz_run.SLOW),
    ],
)
def test_every_outcome_is_told_apart(
    run: Any, outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz_run, "LIMIT", 0.05)
    cases = list(fuzz_run.cases(parser_that(run), range(1, 8), tmp_path / "x"))
    assert {case.outcome for case in cases} == {outcome}
    assert (tmp_path / "x/a/b.json").read_bytes() == b'{"a": [1, "x"]}'


def test_an_input_without_damage_has_to_be_read(tmp_path: Path) -> None:
    parser = parser_that(raising(DataError("x")))
    (case,) = fuzz_run.cases(parser, range(1), tmp_path / "x")
    assert case.outcome == fuzz_run.REFUSED


def test_a_case_is_repeated_by_its_number_and_its_seed(tmp_path: Path) -> None:
    parser = parser_that(lambda place: None)
    file = tmp_path / "b.json"

    def content(number: int, seed: int) -> bytes:
        name, damage = fuzz_run.damage_of(parser, number, seed)
        assert name == "a/b.json"
        file.write_bytes(parser.files[name])
        damage(file)
        return file.read_bytes()

    assert content(900, 0) == content(900, 0)
    assert len({content(number, 0) for number in range(900, 950)}) > 25
    assert content(901, 0) != content(901, 1)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.tsv", "a.gz", "a.npy", "a.safetensors"])
def test_every_format_survives_its_own_mutations(name: str) -> None:
    rng = random.Random(0)  # noqa: S311
    for _ in range(50):
        assert isinstance(fuzz_mutations.mutate(name, b'{"a": 1}', rng), bytes)
