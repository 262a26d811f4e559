"""The file and the line of a passage, where an editor can open them."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spider.artifacts.artifact import Artifact
from spider.corpus.document import Passage
from spider.errors import DataError
from spider.reading import read_bytes
from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import NotExtractedError

#: larger files are named without a line
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a passage stands.

    Attributes:
        path: the file.
        line: the line on which the passage begins, from 1; None where the file has no lines, or
            the passage is no longer in it.
    """

    path: Path
    line: int | None

    def shown(self) -> str:
        """Return ``path:line``, the path relative to the current folder if the file is in it."""
        here = Path.cwd()
        path = self.path.relative_to(here) if self.path.is_relative_to(here) else self.path
        return str(path) if self.line is None else f"{path}:{self.line}"


class SourcePlaces:
    """Finds passages in the files that a corpus was read from.

    The file is read again and the passage is looked for in it, so the line is right even where the
    file was edited after it was indexed.

    Args:
        artifact: the corpus; only a corpus of a folder has places.
    """

    def __init__(self, artifact: Artifact):
        noted = artifact.manifest.get("volatile", {}).get("place")
        folder = Path(noted) if isinstance(noted, str) else None
        self._folder = folder if folder is not None and folder.is_dir() else None

    def find(self, passage: Passage) -> FilePlace | None:
        """Return the place of a passage; None where its document is no file of the folder."""
        if self._folder is None:
            return None
        name = PurePosixPath(passage.document_id)
        # an id of another's corpus may name any file
        if name.is_absolute() or ".." in name.parts:
            return None
        path = Path(os.path.abspath(self._folder / name))  # noqa: PTH100
        if not path.is_file():
            return None
        return FilePlace(path, _line(path, passage))


def _line(path: Path, passage: Passage) -> int | None:
    try:
        if path.stat().st_size > LARGEST:
            return None
        text = decode(read_bytes(path)).text
    except (OSError, DataError, NotExtractedError):
        return None
    # the text that was indexed is the file without its head, so the offset is a lower bound
    found = text.find(passage.text, passage.start)
    if found < 0:
        found = text.find(passage.text)
    return None if found < 0 else text.count("\n", 0, found) + 1
