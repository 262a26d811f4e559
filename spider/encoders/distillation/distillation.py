"""Fits a table to a teacher: chooses passages, grows the sample, fits, and measures the loss."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from spider.corpus.corpus import Corpus
from spider.encoders.distillation.estimate import (
    Estimate,
    PseudoQuestions,
    first_sentences,
    mean_cosine,
    overlap_at,
    spread,
)
from spider.encoders.distillation.fit import FitSettings, Targets, encode, fit_table, initial_table
from spider.encoders.distillation.growth import FIRST, LARGEST, Growth, grow
from spider.encoders.distillation.passage_choice import choose_passages, sample_sizes
from spider.encoders.distillation.teacher import Teacher
from spider.encoders.distillation.teacher_vectors import TeacherVectors, piece_vectors
from spider.encoders.distillation.unit_rows import unit_rows
from spider.encoders.table.inference import passage_tokens
from spider.encoders.table.model import TrainableStatic
from spider.errors import DataError, SettingError
from spider.printable import counted
from spider.text.tokenizer import Tokens

STATE = "distillation"
"""The sub-folder from which an interrupted fit resumes."""


@dataclass(frozen=True, kw_only=True)
class DistillationSettings:
    """Settings of a student's fit.

    Attributes:
        sample: passages that the teacher encodes for the fit; None lets the sample grow.
        fit: the settings of each fit.
    """

    sample: int | None
    fit: FitSettings


class Fitted(NamedTuple):
    """The table with all its rows, and its measures."""

    table: TrainableStatic
    growth: Growth
    estimate: Estimate


class Distillation:
    """Fits a table to a teacher on one corpus, in a folder from which it resumes.

    Args:
        corpus: the passages.
        teacher: what encodes them.
        folder: the artifact.
        seed: decides which passages are encoded and in which order they are fitted.
        pseudo_questions: makes the questions of the estimate from held-out passages.
    """

    def __init__(
        self,
        corpus: Corpus,
        teacher: Teacher,
        folder: Path,
        *,
        seed: int,
        pseudo_questions: PseudoQuestions = first_sentences,
    ):
        if not len(corpus):
            raise DataError("nothing to fit a student to: it has no passage", path=corpus.path)
        self.corpus = corpus
        self.teacher = teacher
        self.folder = folder
        self.seed = seed
        self.pseudo_questions = pseudo_questions
        self.state = folder / STATE
        self.choice = choose_passages(len(corpus), seed=seed)

    def run(self, settings: DistillationSettings) -> Fitted:
        """Fit a table on a sample of the configured or of a chosen size."""
        available = len(self.choice.rest)
        if settings.sample is not None and settings.sample > available:
            raise SettingError(
                "sample",
                settings.sample,
                f"at most {available}: the corpus has {counted(len(self.corpus), 'passage')}, and "
                f"{len(self.choice.held_out)} of them are held out to measure the student",
            )
        pieces = piece_vectors(self.state / "pieces", self.teacher.module)
        held_out = self._targets("held-out", self.choice.held_out, len(self.choice.held_out))
        sizes = (
            sample_sizes(available, first=FIRST, largest=LARGEST)
            if settings.sample is None
            else [settings.sample]
        )

        def closed_form(size: int) -> float:
            begin = self._begin(pieces, self._targets("sample", self.choice.rest, size))
            return mean_cosine(encode(begin, held_out.tokens), held_out.vectors)

        growth = grow(sizes, closed_form)
        sample = self._targets("sample", self.choice.rest, growth.sizes[-1])
        table = self._fit(self._begin(pieces, sample), sample, held_out, settings.fit)
        return Fitted(table, growth, self._estimate(table, held_out))

    def _begin(self, pieces: np.ndarray, sample: Targets) -> TrainableStatic:
        return initial_table(
            pieces,
            self.teacher.module.tokenizer,
            sample,
            score_multiplier=self.teacher.record.score_multiplier,
        )

    def _targets(self, name: str, positions: np.ndarray, count: int) -> Targets:
        vectors = TeacherVectors(
            self.state / name,
            self.corpus,
            positions,
            self.teacher.encoder,
            label=f"encode the {name} passages",
        ).first(count)
        places = positions[:count].tolist()
        titles, texts = self.corpus.titles(places), self.corpus.texts(places)
        return Targets(passage_tokens(self.teacher.module.tokenizer, titles, texts), vectors)

    def _fit(
        self, whole: TrainableStatic, sample: Targets, held_out: Targets, settings: FitSettings
    ) -> TrainableStatic:
        """Fit the rows of the pieces that occur; the optimizer would not change the others."""
        rows = np.union1d(sample.tokens.ids, held_out.tokens.ids).astype(np.int64)
        number = np.zeros(len(whole.vectors), dtype=np.int32)
        number[rows] = np.arange(len(rows), dtype=np.int32)
        present = torch.from_numpy(rows)
        part = TrainableStatic(
            whole.vectors.detach()[present],
            whole.log_weights.detach()[present],
            self.teacher.module.tokenizer,
            score_multiplier=whole.score_multiplier,
        )
        fitted_to, measured_on = (
            Targets(Tokens(number[targets.tokens.ids], targets.tokens.offsets), targets.vectors)
            for targets in (sample, held_out)
        )
        folder = self.state / "fit"
        folder.mkdir(exist_ok=True)
        fit_table(part, fitted_to, measured_on, settings, seed=self.seed, folder=folder)
        with torch.no_grad():
            whole.vectors[present] = part.vectors
            whole.log_weights[present] = part.log_weights
        return whole

    def _estimate(self, table: TrainableStatic, held_out: Targets) -> Estimate:
        student = encode(table, held_out.tokens)
        places = self.choice.held_out[spread(len(student))].tolist() if len(student) else []
        questions = self.pseudo_questions(self.corpus.texts(places))
        asked = unit_rows(self.teacher.encoder.encode_questions(questions))
        return Estimate(
            mean_cosine(student, held_out.vectors),
            overlap_at(asked, student, held_out.vectors),
            len(student),
            len(questions),
        )
