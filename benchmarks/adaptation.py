"""Does adaptation without labels hurt a pretrained encoder, and what does each part bring?

    python -m benchmarks.adaptation --work FOLDER --start all-MiniLM-L6-v2

``FOLDER`` holds a workspace for each corpus (``spider prepare``, ``spider mine`` and ``spider
prepare-questions``). Weights and vectors are kept there, so a second run continues. Adapted and
interpolated encoders are compared with the start, question by question.
"""

import argparse
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from eval.matching.first_hits import HitFinder
from pretrain.pairings.heading import Heading
from pretrain.pairings.independent_crop import IndependentCrop
from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.pairings.title import Title
from pretrain.training.adaptation import AdaptationSettings
from pretrain.training.encoder_training import EncoderTraining
from pretrain.training.interpolation import interpolate
from pretrain.training.settings import ContrastiveSettings
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.encoding import EncodingSettings
from spider.encoders.transformer.inference import BertEncoder
from spider.encoders.transformer.model import TrainableBert
from spider.question import QuestionSet, load_question_set
from spider.questions.transforms.random_window import RandomWindow
from spider.reading import read_json_object
from spider.spans.span_store import SpanStore
from spider.text.tokenizer import load_tokenizer
from spider.training.settings import TrainingSettings
from spider.training.training_checkpoint import MODEL, latest_checkpoint

SETS: dict[str, tuple[str, ...]] = {
    "demo": ("questions",),
    "wiki": ("questions-nq", "questions-triviaqa", "questions-webquestions",
             "questions-entityquestions", "questions-curatedtrec"),
    "nfcorpus": ("questions-dev", "questions-test"),
}  # fmt: skip
ROWS: dict[str, dict[str, Any]] = {
    "spans": {"weights": {"recurring_span": 1.0}},
    "spans, crops": {"weights": {"recurring_span": 0.7, "independent_crop": 0.3}},
    "spans, crops, titles, headings": {
        "weights": {
            "recurring_span": 0.6, "independent_crop": 0.2, "title": 0.1, "heading": 0.1
        }
    },
    "spans, replay": {"weights": {"recurring_span": 1.0}, "replay": 1.0},
}  # fmt: skip
PAIRINGS = {
    "recurring_span": RecurringSpan(transform=RandomWindow()),
    "independent_crop": IndependentCrop(),
    "title": Title(),
    "heading": Heading(),
}
SHARES = (0.5, 1.0)
DEPTHS = (1, 5, 20)
MOST_QUESTIONS = 3_000
BLOCK = 512


class Workplace:
    """A corpus with its question sets, and what was computed on it.

    Args:
        folder: the workspace.
        sets: names of its question sets.
        start: the encoder that is adapted.
    """

    def __init__(self, folder: Path, sets: tuple[str, ...], start: str):
        self.folder = folder / "adaptation"
        self.corpus = Corpus.open(folder / "corpus")
        self.spans = SpanStore.open(folder / "spans")
        self.start = start
        self.sets = {name: _first(load_question_set(folder / name)) for name in sets}
        self.finders = {name: HitFinder(found, self.corpus) for name, found in self.sets.items()}

    def module(self) -> TrainableBert:
        """Return the start."""
        settings = BertSettings(start=self.start)
        place = self.folder / "tokenizer"
        place.mkdir(parents=True, exist_ok=True)
        settings.tokenizer([], place)
        return settings.build(load_tokenizer(place, any_kind=True), seed=0).eval()

    def trained(self, row: str, seed: int) -> dict[str, torch.Tensor]:
        """Return the weights after the last update; trained once."""
        place = self.folder / f"{row}, seed {seed}"
        kept = place / "trained.safetensors"
        if not kept.exists():
            place.mkdir(parents=True, exist_ok=True)
            weights = ROWS[row]["weights"]
            settings = ContrastiveSettings(
                architecture=BertSettings(start=self.start),
                pairings={name: PAIRINGS[name] for name in weights},
                weights=weights,
                enlarge_few=False,
                training=TrainingSettings(seed=seed, warmup_share=0.05),
                adaptation=AdaptationSettings(replay=ROWS[row].get("replay", 0.0)),
            )
            result = EncoderTraining(settings).run(self.corpus, self.spans, place)
            if result.record is not None:
                write_json(place / "record.json", result.record.to_details()["training"])
            newest = latest_checkpoint(place / "checkpoints")
            if newest is None:
                raise FileNotFoundError(place / "checkpoints")
            (newest / MODEL).rename(kept)
        prefix = "encoder."
        found = safetensors.torch.load_file(kept)
        return {name.removeprefix(prefix): value for name, value in found.items()}

    def lists(self, row: str | None, seed: int, share: float) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the ranked passages of each question set; the start's without a row."""
        name = f"{row}, seed {seed}, {share:g}" if row else "start"
        places = [self.folder / f"{name}.{part}.npy" for part in ("passages", *self.sets)]
        if not all(place.exists() for place in places):
            module = self.module()
            if row:
                before = {name: value.clone() for name, value in module.state_dict().items()}
                module.load_state_dict(self.trained(row, seed))
                interpolate(module, before, coefficient=share, ranks=lambda: None)
            for place, vectors in zip(places, self._vectors(module, places), strict=True):
                if vectors is not None:
                    np.save(place, vectors)
        passages = np.load(places[0]).astype(np.float32)
        for set_name, place in zip(self.sets, places[1:], strict=True):
            yield set_name, _best(np.load(place).astype(np.float32), passages)

    def _vectors(self, module: TrainableBert, places: list[Path]) -> Iterator[np.ndarray | None]:
        encoder = BertEncoder(module, EncodingSettings(precision="bfloat16"))
        yield None if places[0].exists() else self._passages(encoder)
        for questions in self.sets.values():
            texts = [question.text for question in questions.questions]
            yield encoder.encode_questions(texts)

    def _passages(self, encoder: BertEncoder) -> np.ndarray:
        blocks = [
            range(first, min(first + BLOCK, len(self.corpus)))
            for first in range(0, len(self.corpus), BLOCK)
        ]
        return np.concatenate(
            [
                encoder.encode_passages(self.corpus.titles(block), self.corpus.texts(block))
                for block in blocks
            ]
        ).astype(np.float16)

    def hits(self, row: str | None, seed: int, share: float) -> dict[str, np.ndarray]:
        """Return the number of passages before each question's first hit, for each set."""
        found = {}
        for name, lists in self.lists(row, seed, share):
            relevant = self.finders[name].relevance(lists)
            first = np.where(relevant.any(axis=1), relevant.argmax(axis=1), lists.shape[1])
            found[name] = first
        return found


def _first(questions: QuestionSet) -> QuestionSet:
    return QuestionSet(
        name=questions.name, match=questions.match, questions=questions.questions[:MOST_QUESTIONS]
    )


def _best(questions: np.ndarray, passages: np.ndarray) -> np.ndarray:
    """Return the best passages of each question, best first."""
    depth = max(DEPTHS)
    rows = []
    for first in range(0, len(questions), BLOCK):
        scores = questions[first : first + BLOCK] @ passages.T
        best = np.argpartition(-scores, depth, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        rows.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(rows).astype(np.int64)


def compare(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """Return accuracies in percent, and the paired difference at 20 with its 95 % bounds."""
    change = 100.0 * ((after < 20).astype(float) - (before < 20))
    error = 1.96 * float(change.std(ddof=1)) / math.sqrt(len(change))
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    return {
        "questions": len(after),
        **{f"top_{depth}": round(100.0 * float((after < depth).mean()), 2) for depth in DEPTHS},
        "difference": round(float(change.mean()), 2),
        "bounds": [round(float(change.mean()) + side * error, 2) for side in (-1, 1)],
        "gained": gained,
        "lost": lost,
        "p_mcnemar": round(exact_mcnemar(gained, lost), 4),
    }


def exact_mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided p-value of the exact test of equal chances."""
    n = gained + lost
    tail = float(sum(math.comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n)
    return min(1.0, 2.0 * tail)


def measure(work: Workplace, rows: list[str], seeds: range) -> dict[str, Any]:
    """Compare every row of a corpus with the start."""
    before = work.hits(None, 0, 0.0)
    found: dict[str, Any] = {"start": {n: compare(h, h) for n, h in before.items()}}
    for row in rows:
        for seed in seeds:
            for share in SHARES:
                after = work.hits(row, seed, share)
                name = f"{row}, seed {seed}, interpolation {share:g}"
                found[name] = {n: compare(before[n], h) for n, h in after.items()}
                _show(name, found[name])
            record = work.folder / f"{row}, seed {seed}" / "record.json"
            if record.is_file():
                found[f"{row}, seed {seed}, training"] = read_json_object(record)
    return found


def _show(name: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    for set_name, numbers in found.items():
        print(name, set_name, numbers, flush=True)


def main() -> None:
    """Measure every corpus that is there, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", default="all-MiniLM-L6-v2")
    parser.add_argument("--corpora", nargs="*", default=list(SETS))
    parser.add_argument("--rows", nargs="*", default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/adaptation.json"))
    arguments = parser.parse_args()
    results = {
        name: measure(
            Workplace(arguments.work / name, SETS[name], arguments.start),
            arguments.rows,
            range(arguments.seeds),
        )
        for name in arguments.corpora
    }
    write_json(arguments.output, {"provenance": provenance(), "results": results})


if __name__ == "__main__":
    main()
