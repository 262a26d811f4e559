"""The console script: ``spider VERB ...`` finds the verb's module in ``conf/VERB.yaml``."""

import difflib
import importlib.metadata
import sys
from collections.abc import Sequence

from spider.launch.entrypoint import run_verb
from spider.launch.exit import guard
from spider.launch.help_text import overview
from spider.launch.verbs import verbs

USAGE = 2


def main(words: Sequence[str] | None = None) -> int:
    """Run a verb; return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    if words[:1] == ["help"] and len(words) > 1:
        words = [words[1], "--help"]
    if not words or words[0] in ("-h", "--help", "help"):
        return _write(overview())
    if words[0] in ("-V", "--version"):
        return _write(f"spider-odqa {importlib.metadata.version('spider-odqa')}\n")
    verb, rest = words[0], words[1:]
    if verb not in verbs():
        near = difflib.get_close_matches(verb, verbs(), n=1)
        hint = f"did you mean {near[0]}?" if near else "spider --help lists the verbs"
        sys.stderr.write(f"spider: no verb {verb!r}; {hint}\n")
        return USAGE
    return run_verb(verb, rest)


def _write(text: str) -> int:
    def act() -> None:
        sys.stdout.write(text)

    return guard(act, name="spider")
