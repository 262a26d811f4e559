"""Extracts text in another process, which is ended when a file takes too much time or memory."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import astuple
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO

from spider.errors import SpiderError
from spider.reading import parse_json
from spider.sources.extraction.extracted import Extracted, NotExtractedError
from spider.sources.extraction.file_types import FileType
from spider.sources.extraction.worker import OVER_MEMORY, OVER_SIZE, READY, REQUEST, RESPONSE
from spider.sources.files.limits import ExtractionLimits

OVER_TIME = "over_time"
CRASHED = "extraction_crashed"
#: seconds that a process gets to end
PATIENCE = 5
#: the parent's path, so that the process imports what the parent would, whatever started it
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from spider.sources.extraction.worker import main; main()"
)


class Isolation:
    """Extracts files, those of isolated types in a process that it starts when one is needed.

    Args:
        limits: size, time and memory.
    """

    def __init__(self, limits: ExtractionLimits):
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Isolation":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def extract(self, kind: FileType, data: bytes) -> Extracted:
        """Return a file's title and text.

        Raises:
            NotExtractedError: it has none, or extracting it takes more than the limits permit.
        """
        if not kind.isolated:
            return kind.extract(data)
        said = self._ask(kind.name, data)
        if "reason" not in said:
            return Extracted(**said)
        reason, hint = said["reason"], said.get("hint", "")
        if reason in (OVER_TIME, OVER_MEMORY, OVER_SIZE):
            raise NotExtractedError(reason, hint=over(reason, self._limits))
        raise NotExtractedError(reason, hint=hint)

    def _ask(self, name: str, data: bytes) -> dict[str, str]:
        process = self._started()
        requests, responses = _pipes(process)
        body = b""
        with suppress(BrokenPipeError):
            requests.write(REQUEST.pack(len(name), len(data)) + name.encode())
            requests.write(data)
            requests.flush()
            body = _response(responses)
        if not body:
            code = self._end()
            if code == -signal.SIGPROF:
                return {"reason": OVER_TIME}
            return {"reason": CRASHED, "hint": f"its parser ended with exit code {code}"}
        said: dict[str, str] = parse_json(body, name)
        if said.get("reason") == OVER_MEMORY:
            self._end()
        return said

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            numbers = [*astuple(self._limits)]
            with TemporaryFile() as errors:
                self._process = subprocess.Popen(
                    # -P: the current folder may be the one that is read, with a docx.py in it
                    [sys.executable, "-P", "-c", START, json.dumps(sys.path), json.dumps(numbers)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
                if _response(_pipes(self._process)[1]) != READY:
                    code = self._end()
                    errors.seek(0)
                    said = errors.read().decode(errors="replace").strip().split("\n")[-1]
                    raise SpiderError(
                        f"the process that extracts text did not start (exit code {code}): {said}"
                    )
        return self._process

    def _end(self) -> int:
        """End the process, and return its exit code, negative for a signal."""
        process, self._process = self._process, None
        if process is None:
            return 0
        requests, responses = _pipes(process)
        with suppress(BrokenPipeError):
            requests.close()
        responses.close()
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            # the run was stopped while the process was in the middle of a file
            process.kill()
            return process.wait()


def over(reason: str, limits: ExtractionLimits) -> str:
    """Return which limit a file is over, and how to raise it."""
    key, value, unit = {
        OVER_TIME: ("seconds", limits.seconds, "s of processor time"),
        OVER_MEMORY: ("memory_mib", limits.memory_mib, "MiB of memory"),
        OVER_SIZE: ("largest_mib", limits.largest_mib, "MiB"),
    }[reason]
    return f"over {value:g} {unit}; source.limits.{key}=NUMBER raises the limit"


def _response(responses: IO[bytes]) -> bytes:
    """Return one response; empty if the process has ended."""
    head = responses.read(RESPONSE.size)
    return responses.read(RESPONSE.unpack(head)[0]) if len(head) == RESPONSE.size else b""


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    return process.stdin, process.stdout
