"""Builds a workspace in this process: runs the stages of ``conf/pipeline/retriever.yaml``."""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from spider.artifacts.atomic_files import write_text
from spider.encoders.starting import check_start
from spider.errors import ConfigError, SettingError
from spider.progress import ProgressEvent
from spider.training.settings import check_minutes
from spider_odqa.arguments import checked_path

if TYPE_CHECKING:
    from index.engines.opening import OpenIndex

Bm25 = Literal["auto", "lucene", "bm25s"]

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
    for what, values in (("texts", texts), ("titles", titles), ("ids", ids)):
        optional = what != "texts" and values is None
        if not optional and (isinstance(values, str) or not isinstance(values, Sequence)):
            kind = type(values).__name__
            raise ConfigError(f"{what}: got a value of type {kind}, expected a list of strings")
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


def built_index(
    data: Path,
    workspace: Path,
    *,
    source: str,
    overrides: Sequence[str],
    progress: Callable[[ProgressEvent], None] | None,
) -> "OpenIndex":
    """Build a workspace, and open its index; the arguments are those of :func:`build_workspace`."""
    from index.engines.opening import open_index

    build_workspace(data, workspace, source=source, overrides=overrides, progress=progress)
    return open_index(workspace / "index", device="auto")


def build_overrides(*, start: str, minutes: float | None, bm25: Bm25) -> list[str]:
    """Return settings of the pipeline, as on the command line.

    Raises:
        ConfigError: ``start``, ``minutes`` or ``bm25`` has no such value.
        SpiderError: the encoder to begin with cannot be used.
    """
    from spider.launch.command_line import quote

    check_minutes(minutes)
    if bm25 not in get_args(Bm25):
        raise SettingError("bm25", bm25, f"one of {', '.join(get_args(Bm25))}")
    check_start(start)
    stages = ("index_vectors_and_words", "index_words_alone")
    return [
        f"start={quote(start)}",
        "minutes=null" if minutes is None else f"minutes={minutes}",
        *(f"pipeline.stages.{stage}.settings.sparse={bm25}" for stage in stages),
    ]


def workspace_folder(given: str | Path | None) -> tuple[Path, Path | None]:
    """Return the workspace, and the folder to remove on closing.

    Raises:
        ConfigError: the workspace is no path.
    """
    if given is not None:
        return checked_path("workspace", given), None
    made = Path(tempfile.mkdtemp(prefix="spider-odqa-"))
    return made, made


def remove_folder(folder: Path | None) -> None:
    """Remove a folder, if there is one."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
