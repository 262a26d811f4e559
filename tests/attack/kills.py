"""Kills real commands at random moments; the same command has to end with the same content."""

import importlib.util
import json
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import sibling

CONFTEST = Path(__file__).parents[1] / "integration" / "conftest.py"
#: the two trainings of a language model take most of the time, and their loop is that of train
VERBS = (
    "prepare", "prepare-questions", "mine", "train", "embed", "build", "search",
    "evaluate-retrieval",
)  # fmt: skip


def _integration() -> ModuleType:
    """Return the module that starts commands in a process that has imported everything."""
    name = "integration_commands"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, CONFTEST)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Workspace:
    """One artifact of each verb, and a process that starts commands quickly.

    Args:
        folder: an empty folder.

    Attributes:
        desk: holds notes and questions.
        made: the workspace.
        commands: each verb's command.
        run: starts one.
    """

    def __init__(self, folder: Path):
        module: Any = _integration()
        self.desk = folder / "desk"
        (self.desk / "notes").mkdir(parents=True)
        (folder / "commands").mkdir()
        for number in range(12):
            module._write_note(self.desk / "notes" / f"note-{number:02d}.md", seed=number)
        words = (self.desk / "notes" / "note-00.md").read_text(encoding="utf-8").split()
        asked = {"question": " ".join(words[:4]), "answer": [words[4]]}
        (self.desk / "questions.jsonl").write_text(json.dumps(asked) + "\n", encoding="utf-8")
        self.made = self.desk / "made"
        self.commands = {command.verb: command for command in module.COMMANDS}
        self.run: Any = module.Server(folder / "commands", module.HEAVY_MODULES)
        for command in module.COMMANDS:
            done = self.run(*command.line(self.made), cwd=self.desk)
            assert done.code == 0, done.err

    def close(self) -> None:
        """End the process."""
        self.run.close()


def kill(workspace: Workspace, count: int, rng: random.Random) -> dict[str, int]:
    """Kill commands at random moments, one to three times each, then let them finish.

    Returns:
        Kills, and the next runs that lost a file of a person, differed, or failed without a line.
    """
    figures = Counter(kills=0, lost=0, different=0, untyped=0)
    while figures["kills"] < count:
        command = workspace.commands[rng.choice(VERBS)]
        work = Path(shutil.copytree(workspace.made, workspace.desk / "attacked"))
        output = work / command.output
        expected = open_artifact(workspace.made / command.output).manifest
        replaces = rng.random() < 0.5
        if not replaces:
            shutil.rmtree(output)
        (work / "thesis.tex").write_text("precious")
        words = command.line(work, *([command.change, "overwrite=true"] if replaces else []))
        for _ in range(rng.randint(1, 3)):
            running = workspace.run.start(*words, cwd=workspace.desk)
            time.sleep(rng.random() * 1.3 * expected["volatile"]["seconds"])
            figures["kills"] += running.signalled(signal.SIGKILL).code == -signal.SIGKILL
        done = workspace.run(*command.line(work, "overwrite=true"), cwd=workspace.desk)
        figures["untyped"] += done.code != 0
        if done.code:
            sys.stderr.write(f"{command.verb}: {done.err}")
        else:
            made = open_artifact(output).manifest
            same = made["content_hash"] == expected["content_hash"]
            # unfinished work of other settings waits for the command that began it
            left = ("old",) if replaces else ("partial", "old")
            tidy = not any(sibling(output, name).exists() for name in left)
            figures["different"] += not (same and tidy)
            if not (same and tidy):
                sys.stderr.write(f"{command.verb}, replaces={replaces}: {same=} {tidy=}\n")
        figures["lost"] += not (work / "thesis.tex").is_file()
        shutil.rmtree(work)
    return dict(figures)
