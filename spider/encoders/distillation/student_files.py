"""The files of a student: both towers, their details for the manifest, and the model card."""

import logging
from collections.abc import Mapping
from pathlib import Path

from spider.artifacts.model_card import CARD, ModelCard, corpus_facts, public_name
from spider.artifacts.records.encoder import EncoderRecord, EncoderTrainingRecord, QuestionTower
from spider.corpus.corpus import Corpus
from spider.encoders.corpus_fitted import FittedEncoder
from spider.encoders.distillation.distillation import STATE, Fitted
from spider.encoders.distillation.estimate import Estimate
from spider.encoders.distillation.layout import PASSAGES, write_router
from spider.encoders.distillation.teacher import TOKENIZER, Teacher
from spider.encoders.table.checkpoint import save_table
from spider.printable import counted

logger = logging.getLogger(__name__)

LEFTOVERS = (STATE, TOKENIZER)
UNHASHED = (CARD,)


def save_student(
    fitted: Fitted,
    teacher: Teacher,
    corpus: Corpus,
    folder: Path,
    *,
    source: str,
    settings: Mapping[str, int],
) -> FittedEncoder:
    """Write the table beside the teacher's copy, and return what the manifest says.

    Args:
        fitted: the table and its measures.
        teacher: what it was fitted to; its copy is in the folder.
        corpus: the passages.
        folder: the artifact.
        source: the name or folder of the teacher.
        settings: the settings that the card names, ``steps`` among them.
    """
    (folder / PASSAGES).mkdir(exist_ok=True)
    tokenizer = teacher.module.tokenizer
    save_table(fitted.table.folded(), tokenizer, folder / PASSAGES)
    write_router(folder)
    estimate, sample = fitted.estimate, fitted.growth.sizes[-1]
    note = f"{fitted.growth.describe()}; {describe(estimate)}"
    logger.info("%s", note)
    own = teacher.record
    record = EncoderRecord(
        dimension=own.dimension,
        similarity=own.similarity,
        score_scale=own.score_scale,
        score_multiplier=own.score_multiplier,
        pooling="weighted mean",
        max_length=None,
        casing=own.casing,
        passage_template="title [SEP] text",
        training=EncoderTrainingRecord(
            steps=settings["steps"],
            validation={"cosine": estimate.cosine, "overlap_at_20": estimate.overlap},
            note=note,
        ),
        question_tower=QuestionTower(variant=teacher.variant, encoder=own),
    )
    _card(corpus, record, source, sample, settings).save(folder)
    counts = {
        "steps": settings["steps"],
        "passages_for_the_fit": sample,
        "passages_held_out": estimate.passages,
        "pseudo_questions": estimate.questions,
        "vocabulary": tokenizer.vocabulary_size,
    }
    return FittedEncoder(counts, record, LEFTOVERS, UNHASHED)


def describe(estimate: Estimate) -> str:
    """Return the estimate in words."""
    if not estimate.passages:
        return "no passage was held out, so its loss against the teacher is not known"
    return (
        f"on {counted(estimate.passages, 'held-out passage')} its vectors have cosine "
        f"{estimate.cosine:.3f} with the teacher's, and {estimate.overlap:.0%} of the teacher's "
        f"first 20 are among its first 20 ({counted(estimate.questions, 'pseudo-question')})"
    )


def _card(
    corpus: Corpus,
    record: EncoderRecord,
    source: str,
    sample: int,
    settings: Mapping[str, int],
) -> ModelCard:
    training = record.training
    return ModelCard(
        title="A student passage encoder",
        summary=(
            "Questions go through a transformer, the teacher. Passages go through a table of "
            "word-piece vectors that was fitted to the teacher's passage vectors. Made by "
            "`spider train architecture=student`."
        ),
        training=(
            f"Fitted without labels to the teacher's vectors of {counted(sample, 'passage')}. "
            f"{training.note if training is not None else ''}."
        ),
        corpus=corpus_facts(corpus.artifact),
        settings={
            "teacher": public_name(source),
            "dimension": record.dimension,
            "similarity": record.similarity,
            "score scale": record.score_scale,
            "casing": record.casing,
            "passage template": record.passage_template,
            **settings,
        },
        measures={} if training is None else training.validation,
        usage=(
            "from sentence_transformers import SentenceTransformer\n\n"
            'model = SentenceTransformer(".")  # the folder of this file; version 5 or newer\n'
            'question = model.encode_query("What is a lock?")\n'
            'passage = model.encode_document("Threads [SEP] A lock guards a resource.")\n'
            "print(question @ passage)"
        ),
        limits=[
            "The table is fitted to its corpus; on other documents it may rank worse.",
            "The order of a passage's words does not change its vector.",
            "Errors and prejudices of the documents and of the teacher are in the vectors too.",
        ],
    )
