"""A process that extracts text, with limits on its memory and on its processor time.

Parsers of other people's formats can hang or take all memory on a small file, and nothing inside
the process can stop them. Here the system does: it refuses memory beyond ``RLIMIT_AS``, and ends
the process with ``SIGPROF`` when its time is over. The parent (:mod:`.isolation`) then knows why.

A request is the type's name and the bytes of a file; a response is a JSON object. The process ends
with its input.
"""

import json
import os
import signal
import struct
import sys
from collections.abc import Mapping
from typing import IO, Any

from spider.reading import parse_json
from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.file_types import file_types

REQUEST = struct.Struct(">HQ")
RESPONSE = struct.Struct(">Q")
READY = b"ready"
OVER_MEMORY = "over_memory"
OVER_SIZE = "over_size"


def answer(name: str, data: bytes, largest: int) -> Mapping[str, Any]:
    """Return the fields of the extracted text, or the reason and the hint.

    Args:
        name: the file type.
        data: the bytes of the file.
        largest: characters of the text.
    """
    extract = next(kind.extract for kind in file_types() if kind.name == name)
    try:
        extracted = extract(data)
    except NotExtractedError as error:
        return {"reason": error.reason, "hint": error.hint}
    except MemoryError:
        return {"reason": OVER_MEMORY}
    except Exception as error:  # a fault of an extractor costs one file, not the folder
        return {"reason": "not_extracted", "hint": f"{type(error).__name__}: {error}"}
    if len(extracted.text) > largest:
        return {"reason": OVER_SIZE}
    return extracted._asdict()


def main() -> None:
    """Answer requests from standard input until it ends."""
    largest_mib, seconds, memory_mib = parse_json(sys.argv[2], "limits")
    limit_memory(memory_mib << 20)
    # Ctrl-C reaches the whole group; the parent decides, and closes the input when it ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    requests, responses = sys.stdin.buffer, _keep_output()
    _send(responses, READY)
    while head := requests.read(REQUEST.size):
        length, size = REQUEST.unpack(head)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        said: Mapping[str, Any]
        try:
            name, data = requests.read(length).decode(), requests.read(size)
            said = answer(name, data, largest_mib << 20)
            written = json.dumps(said).encode()
        except MemoryError:
            said = {"reason": OVER_MEMORY}
            written = json.dumps(said).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(responses, written)
        if said.get("reason") == OVER_MEMORY:
            # what the parser still holds would be missing for the next file
            return


def limit_memory(size: int) -> None:
    """Refuse memory beyond a size, where the system can (not on macOS)."""
    import resource

    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def _send(responses: IO[bytes], body: bytes) -> None:
    responses.write(RESPONSE.pack(len(body)) + body)
    responses.flush()


def _keep_output() -> IO[bytes]:
    """Return standard output for responses; what a parser prints or logs is lost."""
    kept = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return kept
