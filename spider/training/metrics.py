"""metrics.jsonl: one line for each measurement, without gap or duplicate after a kill."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from spider.artifacts.atomic_files import write_text
from spider.errors import ArtifactError
from spider.reading import parse_json, read_text

logger = logging.getLogger(__name__)

METRICS = "metrics.jsonl"


class MetricsLog:
    """Appends measurements to ``metrics.jsonl``, and to TensorBoard where it is installed.

    A run that continues from the checkpoint of step ``s`` opens the log with ``resume_step=s``.
    Lines that the killed run wrote after ``s``, an incomplete last line included, are dropped and
    measured again. No time of day is recorded, so a resumed run's file equals that of an
    uninterrupted run.

    Args:
        folder: holds ``metrics.jsonl``.
        resume_step: the last step whose measurements stay.
        tensorboard: folder for TensorBoard's event files; None writes none.
    """

    def __init__(self, folder: Path, *, resume_step: int, tensorboard: Path | None = None):
        self.path = folder / METRICS
        kept = [
            line
            for line, record in zip(_whole_lines(self.path), _records(self.path), strict=True)
            if record["step"] <= resume_step
        ]
        write_text(self.path, "".join(kept))
        self._file: IO[str] = self.path.open("a", encoding="utf-8")
        self._board = None if tensorboard is None else _open_board(tensorboard, resume_step)

    def write(self, step: int, split: str, values: Mapping[str, float]) -> None:
        """Append one measurement.

        Args:
            step: updates done.
            split: ``train`` or ``validation``.
            values: name → number.
        """
        record = {"step": step, "split": split, **values}
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"{split}/{name}", value, step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return every measurement of a run, in order."""
    return _records(folder / METRICS)


def _records(path: Path) -> list[dict[str, Any]]:
    records = [
        parse_json(line, path, error=ArtifactError, line=number)
        for number, line in enumerate(_whole_lines(path), start=1)
    ]
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict) or type(record.get("step")) is not int:
            raise ArtifactError(f"{path}:{number}: not a measurement; train again")
    return records


def _whole_lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    lines = read_text(path, error=ArtifactError).splitlines(keepends=True)
    return [line for line in lines if line.endswith("\n")]


def _open_board(folder: Path, resume_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=resume_step + 1)
