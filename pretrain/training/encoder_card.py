"""The model card of a trained encoder."""

from pretrain.training.settings import ContrastiveSettings
from spider.artifacts.model_card import ModelCard, corpus_facts, public_name
from spider.artifacts.records.encoder import EncoderRecord
from spider.corpus.corpus import Corpus
from spider.encoders.trainable import EncoderSettings


def encoder_card(settings: ContrastiveSettings, corpus: Corpus, record: EncoderRecord) -> ModelCard:
    """Return the card of an encoder that was trained with these settings."""
    encoder: EncoderSettings = settings.architecture
    training = record.training
    pairs = {} if training is None else training.pairs or {}
    made = ", ".join(f"{number:,} {name} pairs" for name, number in pairs.items())
    return ModelCard(
        title=f"A {encoder.variant} passage encoder",
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
        corpus=corpus_facts(corpus.artifact),
        settings={
            "starts from": ", ".join(sorted({public_name(source) for source in encoder.starts})),
            "dimension": record.dimension,
            "similarity": record.similarity,
            "score scale": record.score_scale,
            "pooling": record.pooling,
            "casing": record.casing,
            "passage template": record.passage_template,
            "steps": 0 if training is None else training.steps,
            "batch size": None if training is None else training.batch_size,
            "learning rate": settings.learning_rate,
            "seed": settings.training.seed,
        },
        measures={} if training is None else training.validation,
        usage=(
            "from sentence_transformers import SentenceTransformer\n\n"
            'model = SentenceTransformer(".")  # the folder of this file\n'
            'question = model.encode("What is a lock?")\n'
            'passage = model.encode("Threads [SEP] A lock guards a resource.")\n'
            "print(question @ passage)"
        ),
        limits=[
            "It is trained for its corpus; on other documents it may rank worse than BM25.",
            "The measures use pseudo-questions made of recurring spans, not real questions.",
            "Errors and prejudices of the documents are in the vectors too.",
        ],
    )
