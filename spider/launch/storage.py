"""Recognises a full or failing disk in the errors of every library that writes.

NumPy, safetensors, FAISS, Lucene and Python each say in their own way that a disk is full. At the
command line they all become one :class:`~spider.errors.StorageError`.
"""

import errno
import re
from collections.abc import Iterator

from spider.errors import StorageError

FREE = "free some space, or choose another place with workspace=FOLDER"
#: what each error of the system means, and how it is repaired
IN_WORDS = {
    errno.ENOSPC: f"the disk is full: {FREE}",
    errno.EDQUOT: f"your quota of disk space is used up: {FREE}",
    errno.EFBIG: f"a file became too large for this file system or for ulimit -f: {FREE}",
    errno.EROFS: "the file system is read-only: choose another place with workspace=FOLDER",
    errno.EIO: "the disk reports an error: check the disk",
    errno.ESTALE: "the network file system has lost a file: check its connection",
    errno.EACCES: "permission denied: chmod or chown permits it, workspace=FOLDER writes elsewhere",
    errno.EPERM: "not permitted: chmod or chown permits it, workspace=FOLDER writes elsewhere",
    errno.EMFILE: "too many files are open: ulimit -n raises the limit",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
    errno.ELOOP: "symbolic links form a loop: remove one of them",
    errno.ENOTDIR: "a part of this path is a file: choose another place with workspace=FOLDER",
    errno.EISDIR: "a folder has this name: remove it, or choose another place",
}
#: how libraries without error numbers say it: safetensors (Rust), FAISS (C), Lucene (Java)
SAID = (
    (re.compile(r"No space left on device|os error 28\b"), errno.ENOSPC),
    (re.compile(r"Disk quota exceeded|os error 122\b"), errno.EDQUOT),
    (re.compile(r"File too large|os error 27\b"), errno.EFBIG),
    (re.compile(r"Read-only file system|os error 30\b"), errno.EROFS),
    (re.compile(r"Input/output error|os error 5\b"), errno.EIO),
    # ndarray.tofile, which numpy.save calls
    (re.compile(r"^\d+ requested and \d+ written$"), errno.ENOSPC),
)
CONTINUES = "the same command then continues"


def storage_error(failure: BaseException) -> StorageError | None:
    """Return the error to show for a failure, if a disk is its cause; None otherwise."""
    for one in _chain(failure):
        number = _number(one)
        if number in IN_WORDS:
            where = one.filename if isinstance(one, OSError) else None
            shown = where.decode(errors="replace") if isinstance(where, bytes) else where
            place = f"{shown}: " if isinstance(shown, str) else ""
            return StorageError(f"{place}{IN_WORDS[number]}; {CONTINUES}")
    return None


def _number(failure: BaseException) -> int | None:
    if isinstance(failure, OSError) and failure.errno is not None:
        return failure.errno
    words = str(failure)
    return next((number for pattern, number in SAID if pattern.search(words)), None)


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """Yield a failure, and the failures that it was raised from."""
    seen: set[int] = set()
    one: BaseException | None = failure
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__
