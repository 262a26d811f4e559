"""Constructors' defaults lie beneath what a yaml says, before Hydra composes."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError
from omegaconf import OmegaConf

from spider.errors import ConfigError
from spider.launch.completion import DEFAULTS, CompletedConfigSource, complete, searching
from spider.launch.composition import compose_verb, plain
from spider.launch.typed.objects import TARGET, import_class
from spider.launch.typed.schema import default_values
from spider.launch.verbs import FOLDER, MODULE, groups, settings_class, verbs


class Part:
    def __init__(self, *, k1: float = 0.9, b: float = 0.4, stop: tuple[str, ...] = ("a",)):
        pass


@dataclass(frozen=True, kw_only=True)
class Run:
    steps: int = 5
    rate: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Settings:
    place: Path
    run: Run = field(default_factory=Run)
    part: Any = None
    table: dict[str, Any] = field(default_factory=lambda: {"x": 1})


def main(settings: Settings) -> None: ...


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    # under importlib mode a test module is importable by its own name only through sys.modules
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Part.__module__])


PART = f"{__name__}.Part"


def completed(text: str) -> Any:
    return OmegaConf.to_container(complete(OmegaConf.create(text)), resolve=False)


def test_what_a_file_says_wins_over_the_constructor() -> None:
    assert completed(f"_target_: {PART}\nb: 0.75\n") == {
        TARGET: PART,
        "k1": 0.9,
        "b": 0.75,
        "stop": ["a"],
    }


def test_a_verb_is_completed_from_the_settings_of_its_main() -> None:
    text = f"verb_module: {__name__}\nplace: ${{run.steps}}\nrun: {{rate: 2.0}}\n"
    assert completed(text) == {
        MODULE: __name__,
        "place": "${run.steps}",
        "run": {"steps": 5, "rate": 2.0},
        "part": None,
        "table": {"x": 1},
    }


def test_a_setting_without_a_default_stays_open() -> None:
    assert "place" not in completed(f"verb_module: {__name__}\n")


def test_variants_are_completed_where_they_stand() -> None:
    text = f"anything:\n  - {{_target_: {PART}}}\n  - deep: {{_target_: {PART}, k1: 1.5}}\n"
    first, second = completed(text)["anything"]
    assert first["k1"] == 0.9
    assert second["deep"] == {TARGET: PART, "k1": 1.5, "b": 0.4, "stop": ["a"]}


def test_a_variant_replaces_a_mapping_and_does_not_mix_with_it() -> None:
    assert completed(f"verb_module: {__name__}\ntable: {{_target_: {PART}}}\n")["table"] == {
        TARGET: PART,
        "k1": 0.9,
        "b": 0.4,
        "stop": ["a"],
    }


def test_null_stays_null() -> None:
    assert completed(f"verb_module: {__name__}\nrun: null\n")["run"] is None


@pytest.mark.parametrize(
    "entry", ["run: x", "/run: x", "override run: x", "optional run: x", "g@run.part: x"]
)
def test_what_a_defaults_list_fills_in_is_left_to_it(entry: str) -> None:
    values = completed(f"defaults:\n  - {entry}\n  - _self_\nverb_module: {__name__}\n")
    assert "run" not in values
    assert values["table"] == {"x": 1}


def test_a_file_that_names_no_class_is_as_it_was() -> None:
    assert completed("a: {b: [1, {c: d}]}\n") == {"a": {"b": [1, {"c": "d"}]}}


def test_a_class_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"_target_=spider\.nowhere\.Thing"):
        completed("part: {_target_: spider.nowhere.Thing}\n")


@pytest.fixture
def source(tmp_path: Path) -> CompletedConfigSource:
    (tmp_path / "sparse").mkdir()
    (tmp_path / "empty").mkdir()
    header = "# @package _global_\n"
    (tmp_path / "sparse" / "mine.yaml").write_text(f"{header}_target_: {PART}\n", encoding="utf-8")
    (tmp_path / "verb.yaml").write_text("# Größe\na: 1\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no yaml", encoding="utf-8")
    return CompletedConfigSource(provider="test", path=f"completed://{tmp_path}")


def test_a_source_finds_files_and_groups(source: CompletedConfigSource) -> None:
    assert source.available()
    assert source.is_config("verb")
    assert source.is_config("sparse/mine")
    assert not source.is_config("sparse")
    assert source.is_group("sparse")
    assert not source.is_group("verb")
    assert source.list("", ObjectType.CONFIG) == ["verb"]
    assert source.list("", ObjectType.GROUP) == ["empty", "sparse"]
    assert source.list("sparse", None) == ["mine"]
    assert source.list("empty", None) == []


def test_a_loaded_file_is_completed_and_keeps_its_header(source: CompletedConfigSource) -> None:
    loaded = source.load_config("sparse/mine")
    assert loaded.config["k1"] == 0.9
    assert loaded.header["package"] == "_global_"
    with pytest.raises(ConfigLoadError, match="Config not found"):
        source.load_config("sparse/other")


def test_a_folder_that_is_not_there_is_not_available(tmp_path: Path) -> None:
    assert not CompletedConfigSource(
        provider="test", path=f"completed://{tmp_path / 'no'}"
    ).available()


def own(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_folder_of_ones_own_replaces_a_variant_and_a_verb(tmp_path: Path) -> None:
    own(tmp_path, "sparse/bm25s.yaml", "# mine\n_target_: index.sparse.bm25s_index.Bm25s\nk1: 7\n")
    text = "# embed\nverb_module: index.verbs.embed\ncorpus: c\nencoder: e\noutput: o\n"
    own(tmp_path, "embed.yaml", text)
    values = plain(compose_verb("build", ["sparse=bm25s"], config_dir=tmp_path))
    assert values["sparse"]["k1"] == 7
    assert plain(compose_verb("embed", [], config_dir=tmp_path))["output"] == "o"
    # and leaves everything else as it is
    assert plain(compose_verb("build", ["sparse=bm25s"]))["sparse"]["k1"] == 0.9
    assert plain(compose_verb("embed", []))["output"] == "spider-work/default/embeddings"


def test_the_own_folder_is_searched_only_within_the_body(tmp_path: Path) -> None:
    own(tmp_path, "sparse/mine.yaml", "# mine\n_target_: index.sparse.bm25s_index.Bm25s\n")
    with pytest.raises(RuntimeError), searching(tmp_path):
        raise RuntimeError
    with pytest.raises(ConfigError, match="no such variant"):
        compose_verb("build", ["sparse=mine"])


def chosen(values: Any) -> list[dict[str, Any]]:
    if isinstance(values, dict):
        below = [found for value in values.values() for found in chosen(value)]
        return [values, *below] if TARGET in values else below
    return [found for item in values for found in chosen(item)] if isinstance(values, list) else []


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_the_composed_defaults_of_a_verb_are_its_constructors(verb: str) -> None:
    written = yaml.safe_load((FOLDER / f"{verb}.yaml").read_text(encoding="utf-8"))
    written.pop(DEFAULTS, None)
    composed = OmegaConf.to_container(compose_verb(verb, []), resolve=False)
    assert isinstance(composed, dict)
    for name, default in default_values(settings_class(verb)).items():
        if name in groups() or name in ("pairings", "documentation", "own_files"):
            continue
        over = written.get(name)
        if isinstance(default, dict) and isinstance(over, dict):
            assert composed[name] == {**default, **over}
        else:
            assert composed[name] == (over if name in written else default)
    for values in chosen(composed):
        assert default_values(import_class(values[TARGET])).keys() <= values.keys()


@pytest.mark.parametrize(
    "path",
    sorted(FOLDER.glob("*/*.yaml")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_the_completed_defaults_of_a_variant_are_its_constructors(path: Path) -> None:
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    if TARGET not in written:
        return
    name = f"{path.parent.name}/{path.stem}"
    source = CompletedConfigSource(provider="test", path=f"completed://{FOLDER}")
    found = OmegaConf.to_container(source.load_config(name).config, resolve=False)
    assert found == with_defaults(written)


def with_defaults(value: Any) -> Any:
    """Return what a yaml says with the defaults of every constructor that it names."""
    if isinstance(value, list):
        return [with_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    items = {name: with_defaults(item) for name, item in value.items()}
    return default_values(import_class(value[TARGET])) | items if TARGET in value else items
