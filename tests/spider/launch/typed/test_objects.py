from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest

from spider.errors import ConfigError
from spider.launch.typed.objects import build, unknown_key


class Window:
    def __init__(self, *, minimum: int = 5, maximum: int = 30):
        if minimum > maximum:
            raise ConfigError("minimum above maximum")
        self.minimum, self.maximum = minimum, maximum


class Shape(Protocol):
    minimum: int


@dataclass(frozen=True, kw_only=True)
class Nested:
    rate: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Settings:
    path: Path
    steps: int = 1
    rate: float = 1.0
    title: str = ""
    on: bool = False
    mode: Literal["fast", "slow"] = "fast"
    maybe: int | None = None
    window: Window | None = None
    shape: Shape | None = None
    many: tuple[str, ...] = ()
    table: dict[str, float] = field(default_factory=dict)
    nested: Nested = field(default_factory=Nested)
    parts: list[Window] = field(default_factory=list)
    anything: Any = None


HERE = f"{__name__}.Window"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    # under importlib mode a test module is importable by its own name only through sys.modules
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules[Window.__module__])


def test_values_become_their_types() -> None:
    settings = build(
        Settings,
        {
            "path": "~/notes",
            "steps": 3,
            "rate": 2,
            "title": 1984,
            "maybe": None,
            "window": {"_target_": HERE, "minimum": 7},
            "shape": {"_target_": HERE},
            "many": "one",
            "table": {"a": 1},
            "nested": {"rate": 0.5},
            "parts": [{"_target_": HERE}],
            "anything": {"deep": [{"_target_": HERE}]},
        },
    )
    assert settings.path == Path.home() / "notes"
    assert (settings.steps, settings.rate, settings.title) == (3, 2.0, "1984")
    assert isinstance(settings.rate, float)
    assert settings.window is not None
    assert settings.window.minimum == 7
    assert settings.many == ("one",)
    assert settings.table == {"a": 1.0}
    assert settings.nested.rate == 0.5
    assert isinstance(settings.parts[0], Window)
    assert isinstance(settings.anything["deep"][0], Window)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stesp": 1}, "unknown setting stesp; did you mean steps?"),
        ({"nested": {"rat": 1}}, "unknown setting nested.rat; did you mean nested.rate?"),
        ({"window": {"_target_": HERE, "minimun": 1}}, "did you mean window.minimum?"),
        ({"steps": "three"}, "setting steps: got 'three', expected int"),
        ({"steps": True}, "expected int"),
        ({"steps": 1.5}, "expected int"),
        ({"steps": 1 << 63}, "expected an integer of 64 bits"),
        ({"rate": 10**400}, "expected an integer of 64 bits"),
        ({"on": "yes"}, "expected bool"),
        ({"mode": "medium"}, "one of 'fast', 'slow'"),
        ({"rate": "???"}, "setting rate must be given: rate=VALUE"),
        ({"window": {"_target_": "spider.nowhere.Thing"}}, "window._target_"),
        ({"window": {"_target_": "os.path.join"}}, "not a class"),
        ({"window": {"_target_": "pathlib.PurePath"}}, "expected Window"),
        ({"window": {"_target_": HERE, "minimum": 99}}, "minimum above maximum"),
        ({"shape": {"minimum": 1}}, "no variant is chosen"),
        ({"shape": 3}, "setting shape: got 3, expected a variant"),
        ({"nested": 3}, "setting nested: got 3, expected settings such as nested.rate=VALUE"),
        ({"many": {"a": 1}}, "setting many"),
        ({"path": "~no-such-user/x"}, "setting path: got '~no-such-user/x', the home of a user"),
        ({"shape": ["x"]}, "setting shape: got ['x'], expected a variant"),
    ],
)
def test_bad_values_are_one_clear_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Settings, {"path": "x", **values})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_named_by_a_number_is_a_path() -> None:
    assert build(Settings, {"path": 2024}).path == Path("2024")


def test_a_setting_typed_without_its_group_is_found() -> None:
    message = unknown_key("steps", ["training.steps", "spans", "training.save_every"])
    assert message == "unknown setting steps; did you mean training.steps?"


def test_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="setting path must be given"):
        build(Settings, {})
