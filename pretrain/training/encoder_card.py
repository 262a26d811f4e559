"""The model card of a trained encoder."""

import json

from pretrain.training.settings import ContrastiveSettings
from spider.artifacts.artifact import Artifact
from spider.artifacts.model_card import ModelCard, corpus_facts, public_name
from spider.artifacts.records.encoder import EncoderRecord
from spider.printable import counted


def encoder_card(
    settings: ContrastiveSettings, corpus: Artifact, record: EncoderRecord
) -> ModelCard:
    """Return the card of an encoder.

    Args:
        settings: the settings of its training.
        corpus: the corpus that it was trained on.
        record: what its manifest says.
    """
    training = record.training
    pairs = {} if training is None else training.pairs or {}
    made = ", ".join(counted(number, f"{name} pair") for name, number in pairs.items())
    return ModelCard(
        title=f"A {settings.architecture.variant} passage encoder",
        summary=(
            "Turns questions and passages into vectors; the inner product of two vectors says "
            "how well a passage fits a question. Made by `spider train`."
        ),
        training=(
            f"Trained without labels on pairs from the corpus's own text ({made}), by "
            "contrastive learning with in-batch negatives (Spider, Ram et al. 2022). "
            f"{training.note or ''}".strip()
            if training is not None and training.steps
            else "Not trained here: the weights are those that training would start from."
        ),
        corpus=corpus_facts(corpus),
        settings={
            "starts from": _starts(settings),
            "dimension": record.dimension,
            "similarity": record.similarity,
            "score scale": record.score_scale,
            "pooling": record.pooling,
            "casing": record.casing,
            "passage template": record.passage_template,
            "prompt of questions": "" if record.prompts is None else record.prompts.question,
            "prompt of passages": "" if record.prompts is None else record.prompts.passage,
            "steps": 0 if training is None else training.steps,
            "batch size": None if training is None else training.batch_size,
            "learning rate": settings.learning_rate,
            "seed": settings.training.seed,
        },
        measures={} if training is None else training.validation,
        usage=_usage(record),
        limits=[
            "It is trained for its corpus; on other documents it may rank worse than BM25.",
            "The measures use pseudo-questions made of recurring spans, not real questions.",
            "Errors and prejudices of the documents are in the vectors too.",
        ],
    )


def _starts(settings: ContrastiveSettings) -> str:
    names = sorted({public_name(source) for source in settings.architecture.starts if source})
    return ", ".join(names) or public_name("")


def _usage(record: EncoderRecord) -> str:
    """Return Python that encodes a question and a passage as this encoder does."""
    between = " " if record.passage_template == "title text" else " [SEP] "
    asked, answered = "", ""
    if record.prompts is not None:
        asked, answered = record.prompts.question, record.prompts.passage
    question = json.dumps(f"{asked}What is a lock?", ensure_ascii=False)
    passage = json.dumps(f"{answered}Threads{between}A lock guards a resource.", ensure_ascii=False)
    lines = [
        "from sentence_transformers import SentenceTransformer",
        "",
        'model = SentenceTransformer(".")  # the folder of this file',
        f"passage = model.encode({passage})",
    ]
    if record.towers:
        lines.append('model = SentenceTransformer("question")')
    return "\n".join([*lines, f"question = model.encode({question})", "print(question @ passage)"])
