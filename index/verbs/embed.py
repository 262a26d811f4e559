"""Verb ``embed``: corpus and encoder → embeddings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.launch.entrypoint import launch


@dataclass(frozen=True, kw_only=True)
class EmbedConfig:
    """Settings of ``spider embed``.

    Attributes:
        workspace: folder of this undertaking's artifacts.
        corpus: what to encode.
        encoder: what encodes it.
        output: where the embeddings go.
        device: where a transformer runs: cpu, cuda, or auto (CUDA where there is one).
        processes: worker processes; more than one pays off for the static encoder on many cores.
        shard_size: passages in a shard; what a kill can lose.
        overwrite: replace embeddings made from other settings or inputs; vectors of passages that
            did not change are taken over when the encoder is the same.
        resolved: filled by the launcher.
    """

    workspace: Path = Path("spider-work/default")
    corpus: Path
    encoder: Path
    output: Path
    device: str = "auto"
    processes: int = 1
    shard_size: int = 8192
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: EmbedConfig) -> None:
    """Encode every passage of a corpus."""
    from index.embeddings.run import embed_corpus

    embed_corpus(
        corpus=config.corpus,
        encoder=config.encoder,
        output=config.output,
        device=config.device,
        processes=config.processes,
        shard_size=config.shard_size,
        overwrite=config.overwrite,
        resolved=config.resolved,
    )


if __name__ == "__main__":
    launch(main, verb="embed")
