"""Opens the systems of one corpus, with the vectors that have been made."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.label_free_measure import vectors
from benchmarks.label_free_measure.student import fit_student
from benchmarks.label_free_measure.systems import Encode, Systems
from spider.corpus.corpus import Corpus

STATIC = {"static_untrained": "static0", "static_short": "static20", "static_long": "static60"}
"""Artifacts of ``spider train batch_size=256 training.steps=N``, by system."""
STUDENT_SAMPLE = 5_000


class Places(NamedTuple):
    """Where the pretrained weights are: folders of MiniLM and of the unpacked wordllama wheel."""

    minilm: Path
    wordllama: Path


def open_systems(folder: Path, corpus: Corpus, places: Places) -> Systems:
    """Make or read the vectors of every dense system of a corpus."""
    dense: dict[str, tuple[np.ndarray, Encode]] = {}
    for name, artifact in STATIC.items():
        if (folder / artifact / "manifest.json").exists():
            path = folder / f"{name}.npy"
            dense[name] = vectors.static_vectors(folder / artifact, corpus, path)
    plain = {
        "wordllama": vectors.wordllama(places.wordllama),
        "pieces": vectors.word_pieces(places.minilm),
    }
    for name, bag in plain.items():
        dense[name] = (vectors.encode_corpus(bag, corpus, folder / f"{name}.npy"), bag)
    transformers: dict[str, dict[str, Any]] = {"minilm": {}, "one_layer": {"layers": 1}}
    transformers |= {name: {"weights": folder / f"{name}.pt"} for name in ("adapted", "half")}
    for name, options in transformers.items():
        if (folder / f"{name}.npy").exists():
            model = vectors.Transformer(places.minilm, **options)
            dense[name] = (np.load(folder / f"{name}.npy"), model)
    teacher = vectors.Transformer(places.minilm)
    path = folder / "student.npy"
    if not path.exists():
        texts, targets = _sample(folder, corpus, teacher)
        vectors.encode_corpus(fit_student(teacher, texts, targets), corpus, path)
    dense["student"] = (np.load(path), teacher)
    return Systems(corpus, dense)


def _sample(
    folder: Path, corpus: Corpus, teacher: vectors.Transformer
) -> tuple[list[str], np.ndarray]:
    """Return a sample of passages, with the teacher's vectors."""
    size = min(STUDENT_SAMPLE, len(corpus) // 4)
    places = np.random.default_rng(0).permutation(len(corpus))[:size].tolist()
    titled = zip(corpus.titles(places), corpus.texts(places), strict=True)
    texts = [f"{title} {text}" for title, text in titled]
    path = folder / "sample.npy"
    if not path.exists():
        np.save(path, teacher(texts).astype(np.float16))
    return texts, np.asarray(np.load(path))
