"""Builds a workspace in this process: runs the stages of ``conf/pipeline/retriever.yaml``."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import write_text
from spider.errors import ConfigError
from spider.progress import ProgressEvent

TEXTS = "texts.jsonl"


def write_texts(
    texts: Sequence[str],
    workspace: Path,
    *,
    titles: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> Path:
    """Write texts as a JSON-lines file of documents, and return its path.

    Raises:
        ConfigError: there is no text, one is not a string, or the number of titles or ids differs.
    """
    if isinstance(texts, str):
        raise ConfigError("texts: got one string, expected a list of strings")
    names = [str(number) for number in range(len(texts))] if ids is None else list(ids)
    headings = [""] * len(texts) if titles is None else list(titles)
    for what, values in (("titles", headings), ("ids", names)):
        if len(values) != len(texts):
            raise ConfigError(f"{what}: got {len(values)}, expected one for each of {len(texts)}")
    lines = []
    for name, title, text in zip(names, headings, texts, strict=True):
        if not all(isinstance(value, str) for value in (name, title, text)):
            raise ConfigError(f"text {name!r}: expected strings for its id, title and text")
        lines.append(json.dumps({"id": name, "title": title, "text": text}) + "\n")
    if not lines:
        raise ConfigError("texts: got none, expected at least one")
    workspace.mkdir(parents=True, exist_ok=True)
    write_text(workspace / TEXTS, "".join(lines))
    return workspace / TEXTS


def build_workspace(
    data: Path,
    workspace: Path,
    *,
    source: str,
    overrides: Sequence[str] = (),
    retrain: bool = False,
    progress: Callable[[ProgressEvent], None] | None = None,
) -> None:
    """Run the stages that are missing or stale: corpus, spans, encoder, embeddings, index.

    Args:
        data: folder or file of the documents.
        workspace: folder of the artifacts.
        source: the variant of ``conf/source`` that reads them.
        overrides: settings of the pipeline, as on the command line.
        retrain: train again where the encoder would be kept although documents changed.
        progress: called while a stage works.
    """
    from spider.console import silent
    from spider.launch.command_line import quote
    from spider.launch.composition import compose_verb, plain
    from spider.launch.stages import build_stages, run_stages
    from spider.progress import reporting

    words = [
        "pipeline=retriever",
        f"data={quote(str(data))}",
        f"pipeline.stages.read_the_documents.settings.source={source}",
        *overrides,
    ]
    composed: dict[str, Any] = plain(compose_verb("pipeline", words))
    stages = build_stages(composed["pipeline"]["stages"], where="pipeline.stages")
    with silent(), reporting(progress):
        run_stages(stages, workspace=workspace, retrain=retrain, in_process=True)
