"""Two processes train through the verb, as ``torchrun -m pretrain.verbs.train`` starts them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from pretrain.verbs.train import TrainSettings, main
from spider.artifacts.artifact import open_artifact
from spider.launch.composition import compose_verb, plain
from spider.launch.configuration import typed_settings
from spider.training.metrics import read_metrics

WORLD = 2
TABLES = Path("training") / "tables.safetensors"


def _words(training_corpus: tuple, output: Path) -> list[str]:
    settings = {
        "corpus": training_corpus[0].path,
        "spans": training_corpus[1].path,
        "output": output,
        "architecture.dimension": 16,
        "architecture.vocabulary_size": 1000,
        "enlarge_few": "false",
        "batch_size": 8,
        "training.steps": 4,
        "training.log_every": 2,
        "training.validate_every": 2,
        "training.save_every": 2,
        "training.device": "cpu",
    }
    return [f"{name}={value}" for name, value in settings.items()]


def _together(words: list[str]) -> list[subprocess.CompletedProcess[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(WORLD):
        environment = {
            **os.environ,
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(WORLD),
            "LOCAL_WORLD_SIZE": str(WORLD),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
        }
        children.append(
            subprocess.Popen(
                [sys.executable, "-m", "pretrain.verbs.train", *words],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        errors = [child.communicate(timeout=100)[1] for child in children]
    finally:
        for child in children:
            child.kill()
    return [
        subprocess.CompletedProcess(child.args, child.returncode, "", error)
        for child, error in zip(children, errors, strict=True)
    ]


@pytest.mark.slow
def test_two_processes_train_what_one_trains(training_corpus: tuple, tmp_path: Path) -> None:
    both = _together(_words(training_corpus, tmp_path / "two"))
    assert [child.returncode for child in both] == [0, 0], [child.stderr for child in both]
    assert "step 4" in both[0].stderr
    assert "step 4" not in both[1].stderr  # one of them talks

    values = plain(compose_verb("train", _words(training_corpus, tmp_path / "one")))
    main(typed_settings(TrainSettings, values))
    one, two = open_artifact(tmp_path / "one"), open_artifact(tmp_path / "two", kind="encoder")
    assert two.details["training"]["pairs_in_batch"] == {"recurring_span": 8}
    assert two.manifest["files"].keys() == one.manifest["files"].keys()
    for ours, theirs in zip(read_metrics(two.path), read_metrics(one.path), strict=True):
        assert ours.pop("split") == theirs.pop("split")
        assert ours == pytest.approx(theirs, rel=1e-4)
    ours, theirs = load_file(two.path / TABLES), load_file(one.path / TABLES)
    for name, table in theirs.items():
        assert (ours[name] - table).abs().max() < 1e-4
