"""Opens the runs of one report: the same questions and corpus, and one name for each system."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from spider.artifacts.artifact import Artifact
from spider.artifacts.records.run import RunRecord
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError
from spider.printable import counted
from spider.question import QuestionSet, load_question_set
from spider.ranking import Hits, load_hits


class RetrievalRuns(NamedTuple):
    """The runs of one report.

    Attributes:
        question_set: the questions that every run answered.
        hits: by system, in the order of the report.
        notes: notes on the training of the runs' systems, without repetition.
    """

    question_set: QuestionSet
    hits: Mapping[str, Hits]
    notes: tuple[str, ...] = ()


def system_names(run: Artifact) -> dict[str, str]:
    """Return the name in reports of each system of a run, by its name in the run's folder.

    The ``label`` of a run (``untrained``) is the name of its only system. Several systems are named
    ``untrained-dense``, ``untrained-hybrid``.
    """
    record = RunRecord.from_manifest(run)
    systems, label = record.systems, record.label
    if not systems:
        raise ArtifactError(f"{run.path}: the manifest lists no systems; run `spider search` again")
    if not label:
        return {name: name for name in systems}
    return {name: label if len(systems) == 1 else f"{label}-{name}" for name in systems}


def load_runs(runs: Sequence[Artifact], corpus: Corpus, wanted: Sequence[str]) -> RetrievalRuns:
    """Open runs and check that they fit into one report.

    Args:
        runs: artifacts of kind ``run``.
        corpus: the passages, numbered by the positions of the runs.
        wanted: systems to report, in this order; empty means all, in the runs' order.

    Raises:
        ArtifactError: the runs differ in questions or corpus, or two give one system differently.
        ConfigError: no run has a wanted system, or there is no run.
    """
    if not runs:
        raise ConfigError("runs: got none, expected at least one run folder")
    question_set = load_question_set(runs[0].path / "questions")
    hits: dict[str, Hits] = {}
    for run in runs:
        _check_corpus(run, corpus)
        _check_questions(run, question_set, runs[0])
        for stored, name in system_names(run).items():
            found = load_hits(run.path / stored)
            _check_hits(run, stored, found, question_set, corpus)
            if name in hits and not _equal(found, hits[name]):
                raise ArtifactError(
                    f"{run.path}: an earlier run gives the system {name!r} with other hits; "
                    "give one of the searches a label"
                )
            hits.setdefault(name, found)
        run.require_current()
    unknown = [name for name in wanted if name not in hits]
    if unknown:
        raise ConfigError(f"systems: got {unknown}, expected some of {list(hits)}")
    notes = dict.fromkeys(RunRecord.from_manifest(run).note for run in runs)
    return RetrievalRuns(
        question_set, {name: hits[name] for name in wanted or hits}, tuple(filter(None, notes))
    )


def _check_corpus(run: Artifact, corpus: Corpus) -> None:
    if "corpus" not in run.manifest["inputs"]:
        return
    made_from = run.parent_hash("corpus")
    if made_from != corpus.artifact.content_hash:
        raise ArtifactError(
            f"{run.path} was made from a corpus with content hash {made_from}, "
            f"but {corpus.path} has {corpus.artifact.content_hash}; search again"
        )


def _check_questions(run: Artifact, expected: QuestionSet, first: Artifact) -> None:
    got = load_question_set(run.path / "questions")
    if got.questions != expected.questions or got.match != expected.match:
        same_ids = [q.id for q in got.questions] == [q.id for q in expected.questions]
        how = "their answers or match mode differ" if same_ids else "their question ids differ"
        raise ArtifactError(
            f"{run.path} and {first.path} answer different question sets ({how}): "
            f"{got.name!r} with {len(got.questions)} and {expected.name!r} with "
            f"{len(expected.questions)} questions; report them separately"
        )


def _check_hits(
    run: Artifact, system: str, hits: Hits, question_set: QuestionSet, corpus: Corpus
) -> None:
    rows, expected = len(hits.positions), len(question_set.questions)
    if rows != expected:
        raise ArtifactError(
            f"{run.path / system}: {counted(rows, 'row')} for {counted(expected, 'question')}"
        )
    highest = int(hits.positions.max(initial=-1))
    if highest >= len(corpus):
        raise ArtifactError(
            f"{run.path / system}: position {highest} in a corpus of {len(corpus)} passages; "
            "the run is of another corpus"
        )


def _equal(one: Hits, other: Hits) -> bool:
    same_positions = np.array_equal(one.positions, other.positions)
    return same_positions and np.array_equal(one.scores, other.scores)
