"""The teacher's vectors of passages and of word pieces: the costly part, kept shard by shard."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64

from spider.array_file import load_array
from spider.artifacts.atomic_files import save_array
from spider.artifacts.shards import run_shards, shard_folder
from spider.corpus.corpus import Corpus
from spider.encoders.distillation.unit_rows import unit_rows
from spider.encoders.trainable import TrainableEncoder
from spider.errors import ArtifactError, CheckpointError
from spider.interfaces import PassageEncoder
from spider.progress import Progress
from spider.text.token_batch import token_batch

SHARD_PASSAGES = 256
SHARD_PIECES = 2_048
BATCH_PIECES = 512
VECTORS = "vectors.npy"


class TeacherVectors:
    """Unit vectors of some passages, in the order of ``positions``; encoded when first needed.

    A shard holds the same passages whatever was asked for before, so a fit that was killed, or
    that grows its sample, encodes no passage twice.

    Args:
        folder: holds the shards.
        corpus: the passages.
        positions: the order.
        encoder: the teacher.
        label: the name of the work in the progress.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Corpus,
        positions: Int64[np.ndarray, " passages"],
        encoder: PassageEncoder,
        *,
        label: str,
    ):
        self._folder = folder
        self._corpus = corpus
        self._positions = positions
        self._encoder = encoder
        self._label = label

    def first(self, count: int) -> Float32[np.ndarray, "passages dimension"]:
        """Return the vectors of the first ``count`` passages, in whole shards on disk."""
        starts = range(0, count, SHARD_PASSAGES)
        tasks = [
            self._positions[start : min(start + SHARD_PASSAGES, len(self._positions))]
            for start in starts
        ]
        with Progress(total=sum(map(len, tasks)), unit="passages", label=self._label) as progress:
            run_shards(
                self._folder,
                tasks,
                self._encode,
                on_done=lambda _, counts: progress.advance(counts["passages"]),
            )
        return _read(self._folder, len(tasks), self._encoder.dimension)[:count]

    def _encode(self, positions: Int64[np.ndarray, " _"], folder: Path) -> dict[str, int]:
        places = positions.tolist()
        vectors = self._encoder.encode_passages(
            self._corpus.titles(places), self._corpus.texts(places)
        )
        save_array(folder / VECTORS, unit_rows(vectors))
        return {"passages": len(places)}


def piece_vectors(
    folder: Path, module: TrainableEncoder
) -> Float32[np.ndarray, "vocabulary dimension"]:
    """Encode each word piece put alone, with the teacher's special tokens and its own pooling.

    Args:
        folder: holds the shards.
        module: the teacher, in evaluation mode.
    """
    size = module.tokenizer.vocabulary_size
    tasks = [range(s, min(s + SHARD_PIECES, size)) for s in range(0, size, SHARD_PIECES)]

    @torch.inference_mode()
    def encode(pieces: range, target: Path) -> dict[str, int]:
        none = np.zeros(0, dtype=np.int64)
        parts = [
            module.encode_tokens(
                token_batch(
                    [
                        module.passage_ids(none, np.array([piece]))
                        for piece in pieces[start : start + BATCH_PIECES]
                    ]
                ),
                passages=True,
            )
            for start in range(0, len(pieces), BATCH_PIECES)
        ]
        save_array(target / VECTORS, torch.cat(parts).float().cpu().numpy())
        return {"pieces": len(pieces)}

    with Progress(total=size, unit="word pieces", label="encode word pieces") as progress:
        run_shards(
            folder,
            tasks,
            encode,
            on_done=lambda _, counts: progress.advance(counts["pieces"]),
        )
    return _read(folder, len(tasks), module.dimension)


def _read(folder: Path, shards: int, dimension: int) -> Float32[np.ndarray, "rows dimension"]:
    parts = [
        load_array(shard_folder(folder, number) / VECTORS, error=ArtifactError)
        for number in range(shards)
    ]
    parts.append(np.zeros((0, dimension), dtype=np.float32))
    for part in parts:
        if part.shape[1:] != (dimension,):
            raise CheckpointError(
                f"{folder}: vectors of {part.shape[1:]} numbers, the teacher gives {dimension}; "
                "remove the folder"
            )
    vectors = np.concatenate(parts)
    if not np.isfinite(vectors).all():
        raise CheckpointError(f"{folder}: the teacher gave a vector that is not finite")
    return vectors
