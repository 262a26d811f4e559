"""Verb ``embed``: corpus and encoder → embeddings."""

from dataclasses import dataclass
from pathlib import Path

from index.embeddings.settings import EmbeddingSettings
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class EmbedSettings(EmbeddingSettings, StageSettings):
    """Settings of ``spider embed``.

    Attributes:
        corpus: the passages that are encoded.
        encoder: the encoder artifact.
    """

    corpus: Execution[Path]
    encoder: Execution[Path]


def main(settings: EmbedSettings) -> None:
    """Encode every passage of a corpus; vectors of passages that did not change are kept."""
    from index.embeddings.run import embed_corpus

    embed_corpus(
        settings,
        corpus=settings.corpus,
        encoder=settings.encoder,
        output=settings.output,
        overwrite=settings.overwrite,
        resolved=settings.resolved,
    )


if __name__ == "__main__":
    launch(main, verb="embed")
