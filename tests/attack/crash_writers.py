"""The writers whose crash states are enumerated, each with the folder in which it begins."""

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from spider.artifacts import stage as stage_module
from spider.artifacts.array_stream import ArrayStream
from spider.artifacts.atomic_files import save_array, write_json
from spider.artifacts.shards import run_shards, shard_folder
from spider.artifacts.stage import Stage
from spider.corpus.document import Document
from spider.corpus.splitting import WordSplitter
from spider.corpus.writer import CorpusWriter
from spider.reading import read_json
from spider.training.training_checkpoint import (
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from tests.attack.crash_states import Writer

Begin = Callable[[Path], None]


def _stage(desk: Path, settings: str, kind: str = "spans") -> Stage:
    return Stage(
        verb="mine", kind=kind, output=desk / "made", config={"settings": settings}, inputs={},
        overwrite=True,
    )  # fmt: skip


def plain(desk: Path, settings: str = "new") -> None:
    """Write three files and a leftover; do nothing where that is up to date, as a verb does."""
    stage = _stage(desk, settings)
    if stage.up_to_date():
        return
    with patch.object(stage_module, "provenance", dict), stage.writing() as folder:
        write_json(folder / "a.json", {"settings": settings})
        save_array(folder / "b.npy", np.arange(9))
        with ArrayStream(folder / "c.npy", np.dtype(np.int64)) as stream:
            stream.extend(np.arange(300))
        (folder / "state").mkdir(exist_ok=True)
        write_json(folder / "state" / "step.json", [1])
        stage.finish(counts={}, leftovers=["state"])


def _shard(task: int, folder: Path) -> dict[str, int]:
    with ArrayStream(folder / "part.npy", np.dtype(np.int64)) as stream:
        stream.extend(np.arange(task, task + 5))
    return {"rows": 5}


def sharded(desk: Path, settings: str = "new") -> None:
    """Write by shards, which a run after a kill takes over."""
    stage = _stage(desk, settings)
    if stage.up_to_date():
        return
    with patch.object(stage_module, "provenance", dict), stage.writing() as folder:
        counts = run_shards(folder / "shards", range(3), _shard)
        parts = [np.load(shard_folder(folder / "shards", n) / "part.npy") for n in range(3)]
        save_array(folder / "all.npy", np.concatenate(parts))
        stage.finish(counts={"shards": len(counts)}, leftovers=["shards"])


def trained(desk: Path, settings: str = "new") -> None:
    """Train for three steps with a checkpoint after each."""
    stage = _stage(desk, settings)
    if stage.up_to_date():
        return
    with patch.object(stage_module, "provenance", dict), stage.writing() as folder:
        model = torch.nn.Linear(2, 1, bias=False)
        torch.nn.init.constant_(model.weight, 1.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        checkpoints = folder / "checkpoints"
        newest = latest_checkpoint(checkpoints)
        step = 0
        if newest is not None:
            saved = load_checkpoint(newest)
            model.load_state_dict(saved.model)
            optimizer.load_state_dict(saved.optimizer)
            step = saved.step
        while step < 3:
            step += 1
            optimizer.zero_grad()
            model(torch.full((1, 2), float(step))).sum().backward()
            optimizer.step()
            save_checkpoint(
                checkpoints, step=step, model=model, optimizer=optimizer, state={}, keep=2
            )
        save_array(folder / "weights.npy", model.weight.detach().numpy())
        stage.finish(counts={}, leftovers=["checkpoints"])


def corpus(desk: Path, settings: str = "new") -> None:
    """Write a corpus of three documents."""
    stage = _stage(desk, settings, kind="corpus")
    if stage.up_to_date():
        return
    with patch.object(stage_module, "provenance", dict), stage.writing() as folder:
        writer = CorpusWriter(folder)
        for number in range(3):
            document = Document(id=str(number), title="t", text="silt and gold " * 30)
            writer.add(WordSplitter(words=20).split(document))
        stage.finish(counts=writer.close())


def nothing(desk: Path) -> None:
    """Begin with files of a person beside the place of the artifact."""
    (desk / "mine").mkdir(parents=True)
    (desk / "mine" / "thesis.tex").write_text("precious")
    (desk / "mine.old").write_text("precious")


def older(write: Callable[[Path, str], None]) -> Begin:
    """Begin with an artifact of other settings."""

    def begin(desk: Path) -> None:
        nothing(desk)
        write(desk, "old")

    return begin


def interrupted(write: Callable[[Path, str], None]) -> Begin:
    """Begin with an unfinished artifact of other settings, and a complete one."""

    def begin(desk: Path) -> None:
        older(write)(desk)
        with patch.object(Stage, "finish", side_effect=KeyboardInterrupt):
            try:
                write(desk, "interrupted")
            except KeyboardInterrupt:
                read_json(desk / "made.partial" / ".fingerprint.json")

    return begin


#: name → writer, and how its folder begins
SITUATIONS: dict[str, tuple[Writer, Begin]] = {
    f"{write.__name__}, {name}": (write, begin(write))
    for write in (plain, sharded, trained, corpus)
    for name, begin in {
        "first": lambda _: nothing,
        "replacing": older,
        "after other settings": interrupted,
    }.items()
}
