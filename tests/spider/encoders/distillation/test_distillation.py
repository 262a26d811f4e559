from pathlib import Path

import numpy as np
import pytest

from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.distillation.distillation import Distillation, DistillationSettings
from spider.encoders.distillation.fit import FitSettings, initial_table
from spider.encoders.distillation.teacher import Teacher, settle_teacher
from spider.encoders.distillation.teacher_vectors import piece_vectors
from spider.encoders.encoding import EncodingSettings

FIT = FitSettings(steps=4, learning_rate=0.01, weight_rate=0.01, batch_size=8)


@pytest.fixture
def settled(teacher: Path, tmp_path: Path) -> Teacher:
    return settle_teacher(
        BertSettings(start=str(teacher)), tmp_path, device="cpu", encoding=EncodingSettings()
    )


def test_pieces_that_do_not_occur_keep_their_initial_rows(
    corpus: Corpus, settled: Teacher, tmp_path: Path
) -> None:
    distillation = Distillation(corpus, settled, tmp_path, seed=0)
    fitted = distillation.run(DistillationSettings(sample=30, fit=FIT))
    sample = distillation._targets("sample", distillation.choice.rest, 30)
    pieces = piece_vectors(tmp_path / "pieces", settled.module)
    begin = initial_table(pieces, settled.module.tokenizer, sample, score_multiplier=1.0)
    same = np.isclose(fitted.table.folded().numpy(), begin.folded().numpy(), atol=1e-7).all(axis=1)
    occurs = np.bincount(sample.tokens.ids, minlength=len(pieces)) > 0
    assert same[~occurs].all()
    assert not same[occurs].all()


def test_another_rule_makes_the_pseudo_questions(
    corpus: Corpus, settled: Teacher, tmp_path: Path
) -> None:
    distillation = Distillation(
        corpus, settled, tmp_path, seed=0, pseudo_questions=lambda texts: ["amber?"]
    )
    fitted = distillation.run(DistillationSettings(sample=30, fit=FIT))
    assert fitted.estimate.questions == 1
    assert fitted.estimate.passages == 9
