from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from spider.launch.configuration import shown_yaml, typed_settings
from spider.settings import Execution


class Variant:
    def __init__(self, *, k1: float = 0.9, threads: Execution[int] = 2):
        self.k1, self.threads = k1, threads


@dataclass(frozen=True, kw_only=True)
class Run:
    steps: int = 1
    device: Execution[str] = "cpu"


@dataclass(frozen=True, kw_only=True)
class Settings:
    corpus: Execution[Path]
    runs: Execution[tuple[Path, ...]] = ()
    run: Run = field(default_factory=Run)
    rate: float = 1.0
    sparse: Any = None
    parts: dict[str, Any] = field(default_factory=dict)
    resolved: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()


def test_resolved_holds_what_decides_the_content_down_to_variants(monkeypatch: Any) -> None:
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules[Variant.__module__])
    target = f"{__name__}.Variant"
    values = {
        "verb_module": "x",
        "corpus": "w/corpus",
        "runs": ["a", "b"],
        "run": {"steps": 3, "device": "cuda"},
        "rate": 2,
        "sparse": {"_target_": target, "k1": 1, "threads": 8},
        "parts": {"one": {"_target_": target, "threads": 3}},
    }
    settings = typed_settings(Settings, values)
    assert settings.resolved == {
        "run": {"steps": 3},
        "rate": 2.0,
        "sparse": {"_target_": target, "k1": 1.0},
        "parts": {"one": {"_target_": target}},
    }
    assert isinstance(settings.resolved["rate"], float)
    assert settings.runs == (Path("a"), Path("b"))
    assert settings.sparse.threads == 8


def test_given_names_the_settings_that_were_typed() -> None:
    words = ["size.width=2", "++steps=1", "+size@place=tiny", "size.depth=1"]
    assert typed_settings(Settings, {"corpus": "c"}, words).given == ("size", "steps")
    assert typed_settings(Settings, {"corpus": "c"}).given == ()


@pytest.mark.parametrize(
    "text", ["a\x1b[2J", "\u202eexe", "\x9bq", "\x7f", "two\nlines", "naïve: 1"]
)
def test_the_yaml_on_a_terminal_has_the_value_and_no_control(text: str) -> None:
    shown = shown_yaml(OmegaConf.create({"label": text, "k": 3}))
    assert dict(OmegaConf.create(shown)) == {"label": text, "k": 3}
    assert all(character.isprintable() or character == "\n" for character in shown)
