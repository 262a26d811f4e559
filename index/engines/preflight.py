"""Estimates of disk and memory, so that an index that is too large is refused before the build."""

import logging
import shutil
from pathlib import Path
from typing import NamedTuple

from spider.errors import ConfigError
from spider.memory import MIB, available_memory, in_words

WORKING_MEMORY = 512 * MIB
"""Memory of interpreter, libraries, a block of vectors, and the scores of a batch of questions."""

SPARSE_PER_TEXT_BYTE = 0.6
"""Size of Lucene's folder divided by that of the UTF-8 text: 0.19 on 13,141 Wikipedia articles,
tripled for the space that merging takes."""

logger = logging.getLogger(__name__)


class Needs(NamedTuple):
    """Bytes that building an index takes; searching it takes no more memory."""

    disk: int
    memory: int


def estimate(*, passages: int, dimension: int, bytes_per_value: int, text_bytes: int) -> Needs:
    """Estimate an index over passages.

    Args:
        passages: their number.
        dimension: length of a vector; 0 without a dense part.
        bytes_per_value: the bytes of each value of the dense variant.
        text_bytes: size of the corpus's text; 0 without a sparse part.
    """
    vectors = passages * dimension * bytes_per_value
    return Needs(
        disk=vectors + int(text_bytes * SPARSE_PER_TEXT_BYTE), memory=vectors + WORKING_MEMORY
    )


def check(needs: Needs, folder: Path, *, memory: int | None = None) -> None:
    """Compare needs with the disk and the memory of this machine.

    Args:
        needs: from :func:`estimate`.
        folder: folder of the index; its nearest existing parent determines the disk.
        memory: bytes that are available; None asks the system.

    Raises:
        ConfigError: the disk is too small, or the memory is below half of the need.
    """
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    logger.info("needs about %s of disk and %s of memory", *map(in_words, needs))
    if needs.disk > free:
        raise ConfigError(
            f"the index takes about {in_words(needs.disk)} of disk, {existing} has "
            f"{in_words(free)} free; choose another output, or dense=faiss_sqfp16"
        )
    available = available_memory() if memory is None else memory
    if available is None or needs.memory <= available:
        return
    message = (
        f"the index takes about {in_words(needs.memory)} of memory, {in_words(available)} are "
        "available; dense=exact reads from disk, dense=faiss_sqfp16 takes half of faiss_flat"
    )
    if needs.memory > 2 * available:
        raise ConfigError(message)
    logger.warning("%s", message)
