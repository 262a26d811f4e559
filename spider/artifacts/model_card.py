"""The model card: a ``README.md`` in a model's folder, for people who receive that folder.

A stage lists the card as ``unhashed``: a better sentence in it does not make another model.
The card holds no path, because a path may reveal a name; callers give numbers and public names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import write_text
from spider.printable import markdown_text

CARD = "README.md"
COUNTED = ("documents", "passages", "words")
LICENCE = (
    "No licence is attached to these weights. They derive from the documents that they were "
    "trained on, and from the model that training started from, if any: the terms of both apply."
)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The content of a model card.

    Attributes:
        title: the heading.
        summary: what the model is and does.
        training: how it was trained; empty where it was not.
        corpus: what it was trained on; see :func:`corpus_facts`.
        settings: its dimensions and the settings of the training.
        measures: the last measures on held-out documents.
        usage: Python that loads it from the folder of the card.
        limits: what it cannot do, or was not tested for.
    """

    title: str
    summary: str
    training: str
    corpus: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    usage: str
    limits: Sequence[str] = ()

    def to_markdown(self) -> str:
        """Return the card; a section without content is left out."""
        sections = [
            ("Training", self.training),
            ("Corpus", _table(self.corpus)),
            ("Settings", _table(self.settings)),
            ("Measures on held-out documents", _table(self.measures)),
            ("Use", f"```python\n{self.usage.strip()}\n```"),
            ("Limits", "\n".join(f"- {limit}" for limit in self.limits)),
            ("Licence", LICENCE),
        ]
        body = "".join(f"\n## {name}\n\n{text}\n" for name, text in sections if text)
        return f"# {self.title}\n\n{self.summary}\n{body}"

    def save(self, folder: Path) -> None:
        """Write the card into an existing folder."""
        write_text(folder / CARD, self.to_markdown())


def corpus_facts(corpus: Artifact) -> dict[str, object]:
    """Return a card's facts about a corpus: its size, and the hash that identifies it."""
    counts = {name: corpus.counts[name] for name in COUNTED if name in corpus.counts}
    return {**counts, "content hash": corpus.content_hash}


def public_name(source: str) -> str:
    """Return a name, fit for publication, of the model or vocabulary that training started from.

    A name on the hub is public. A local path is only called local.
    """
    if not source:
        return "none"
    # a hub name is "model" or "owner/model"; a name that exists here is a path, whatever its form
    is_place = Path(source).exists() or source.startswith((".", "/", "~")) or source.count("/") > 1
    return "a local model" if is_place or "\\" in source else source


def _table(facts: Mapping[str, object]) -> str:
    if not facts:
        return ""
    rows = "".join(f"| {markdown_text(name)} | {_cell(value)} |\n" for name, value in facts.items())
    return f"| | |\n|---|---|\n{rows}".rstrip()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return markdown_text(str(value))
