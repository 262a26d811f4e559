"""Estimates of disk and memory, so that an index that is too large is refused before the build."""

import logging
import shutil
from pathlib import Path

from index.sparse.contract import Needs
from spider.errors import ConfigError
from spider.memory import MIB, available_memory, in_words

WORKING_MEMORY = 512 * MIB
"""Memory of interpreter, libraries, a block of vectors, and the scores of a batch of questions."""

logger = logging.getLogger(__name__)


def estimate(
    *, passages: int, dimension: int, bytes_per_value: int, sparse: Needs | None = None
) -> Needs:
    """Estimate an index over passages.

    The parts are built one after the other. The dense part is closed then, but the memory that it
    took may not have returned to the system, so the two are added.

    Args:
        passages: their number.
        dimension: length of a vector; 0 without a dense part.
        bytes_per_value: the bytes of each value of the dense variant.
        sparse: what the sparse part takes; None without one.
    """
    vectors = passages * dimension * bytes_per_value
    disk, memory = sparse or Needs(0, 0)
    return Needs(disk=vectors + disk, memory=vectors + memory + WORKING_MEMORY)


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
        "available; dense=exact reads from disk, dense=faiss_sqfp16 takes half of faiss_flat, "
        "sparse=lucene takes at most its heap"
    )
    if needs.memory > 2 * available:
        raise ConfigError(message)
    logger.warning("%s", message)
