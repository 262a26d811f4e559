"""Kills real commands at random moments; the same command has to end with the same content.

Every verb that writes an artifact is killed, those of the reader too, and ``generate``, which reads
one and writes nothing.
"""

import importlib.util
import json
import random
import shutil
import signal
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import sibling
from tests.attack.crash_states import tree

CONFTEST = Path(__file__).parents[1] / "integration" / "conftest.py"
READS = "generate"
#: its command line, with the model in the workspace
GENERATE = (
    READS, "silt and gold", "generation.max_new_tokens=60", "generation.min_new_tokens=60",
    "json=true",
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
        generated: what ``generate`` prints without a kill.
        generating: its seconds.
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
        self.commands: dict[str, Any] = {command.verb: command for command in module.COMMANDS}
        self.run: Any = module.Server(folder / "commands", module.HEAVY_MODULES)
        for command in module.COMMANDS:
            done = self.run(*command.line(self.made), cwd=self.desk)
            assert done.code == 0, done.err
        started = time.monotonic()
        self.generated = self.generate(self.made)
        self.generating = time.monotonic() - started
        assert self.generated.code == 0, self.generated.err

    def generate(self, workspace: Path) -> Any:
        """Generate from the reader of a workspace, to the end."""
        return self.run(*generate_line(workspace), cwd=self.desk)

    def close(self) -> None:
        """End the process."""
        self.run.close()


def generate_line(workspace: Path) -> list[str]:
    """Return the words that generate from the reader of a workspace."""
    return [*GENERATE, f"--model={workspace / 'reader'}"]


def kill(workspace: Workspace, count: int, rng: random.Random) -> dict[str, Any]:
    """Kill commands at random moments, one to three times each, then let them finish.

    Returns:
        Kills, and the next runs that lost a file of a person, differed, or failed without a line.
    """
    figures = Counter(kills=0, lost=0, different=0, untyped=0)
    by_verb: Counter[str] = Counter()
    verbs = cycle([*workspace.commands, READS])
    while figures["kills"] < count:
        verb = next(verbs)
        work = Path(shutil.copytree(workspace.made, workspace.desk / "attacked"))
        (work / "thesis.tex").write_text("precious")
        if verb == READS:
            found = _kill_reading(workspace, work, rng)
        else:
            found = _kill_writing(workspace, workspace.commands[verb], work, rng)
        found["lost"] += not (work / "thesis.tex").is_file()
        figures.update(found)
        by_verb[verb] += found["kills"]
        shutil.rmtree(work)
    return {**figures, "kills by verb": dict(sorted(by_verb.items()))}


def _kill_writing(
    workspace: Workspace, command: Any, work: Path, rng: random.Random
) -> Counter[str]:
    output = work / command.output
    expected = open_artifact(workspace.made / command.output).manifest
    replaces = rng.random() < 0.5
    if not replaces:
        shutil.rmtree(output)
    words = command.line(work, *([command.change, "overwrite=true"] if replaces else []))
    found = _killed(workspace, words, expected["volatile"]["seconds"], rng)
    done = workspace.run(*command.line(work, "overwrite=true"), cwd=workspace.desk)
    if done.code:
        found["untyped"] += 1
        sys.stderr.write(f"{command.verb}: {done.err}")
        return found
    made = open_artifact(output).manifest
    same = made["content_hash"] == expected["content_hash"]
    # unfinished work of other settings waits for the command that began it
    left = ("old",) if replaces else ("partial", "old")
    tidy = not any(sibling(output, name).exists() for name in left) and (
        [*output.rglob(".*")] == [] and _names(output) == _names(workspace.made / command.output)
    )
    if not (same and tidy):
        found["different"] += 1
        sys.stderr.write(f"{command.verb}, replaces={replaces}: {same=} {tidy=}\n")
    return found


def _kill_reading(workspace: Workspace, work: Path, rng: random.Random) -> Counter[str]:
    before = tree(work, volatile=True)
    found = _killed(workspace, generate_line(work), workspace.generating, rng)
    done = workspace.generate(work)
    found["untyped"] += done.code != 0
    found["different"] += done.out != workspace.generated.out or tree(work, volatile=True) != before
    if done.code or found["different"]:
        sys.stderr.write(f"{READS}: {done.out[-300:]} {done.err}\n")
    return found


def _killed(
    workspace: Workspace, words: list[str], seconds: float, rng: random.Random
) -> Counter[str]:
    """Start a command one to three times, and kill it; one that ended before counts as none."""
    found: Counter[str] = Counter()
    for _ in range(rng.randint(1, 3)):
        running = workspace.run.start(*words, cwd=workspace.desk)
        time.sleep(rng.random() * 1.3 * seconds)
        found["kills"] += running.signalled(signal.SIGKILL).code == -signal.SIGKILL
    return found


def _names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
