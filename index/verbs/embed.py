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
        corpus: the passages that are encoded; null takes those of the workspace, or where it has
            none, those that the encoder was trained on.
        encoder: the encoder artifact.
    """

    corpus: Execution[Path | None] = None
    encoder: Execution[Path]


def main(settings: EmbedSettings) -> None:
    """Encode every passage of a corpus; vectors of passages that did not change are kept."""
    from index.embeddings.run import embed_corpus
    from spider.artifacts.artifact import open_artifact
    from spider.artifacts.chain import find_input

    workspace, through = settings.workspace, None
    if settings.corpus is None and not (workspace / "corpus").exists():
        through = open_artifact(settings.encoder, kind="encoder")
    corpus = find_input("corpus", settings.corpus, through=through, workspace=workspace)
    embed_corpus(
        settings,
        corpus=corpus.path,
        encoder=settings.encoder,
        output=settings.output,
        overwrite=settings.overwrite,
        resolved=settings.resolved,
    )


if __name__ == "__main__":
    launch(main, verb="embed")
