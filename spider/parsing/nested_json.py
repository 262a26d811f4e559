"""Recognises SQuAD's nested JSON, which people give as rows, and says how to make rows of it.

SQuAD's files are one object: ``data``, in it ``paragraphs``, in each a ``context`` and its ``qas``.
"""

import re
from pathlib import Path

from spider.errors import DataError

#: bytes of a file that are looked at
HEAD = 4096
QUESTIONS = ".data[].paragraphs[].qas[] | {id, question, answer: [.answers[].text]}"
DOCUMENTS = ".data[] | {title} + (.paragraphs[] | {text: .context})"

_SQUAD = re.compile(rb'\s*\{(?:[^{}]*,)?\s*"data"\s*:\s*\[\s*\{.*?"paragraphs"\s*:\s*\[', re.DOTALL)


def refuse_squad(head: bytes, path: Path) -> None:
    """Refuse a file that is SQuAD's nested JSON.

    Args:
        head: its first bytes.
        path: the file, for the message.

    Raises:
        DataError: it is.
    """
    if _SQUAD.match(head[:HEAD]):
        raise DataError(
            f"SQuAD's nested JSON; expected one row in each line; jq -c '{QUESTIONS}' FILE writes "
            f"the questions, and jq -c '{DOCUMENTS}' FILE the documents",
            path=path,
        )
