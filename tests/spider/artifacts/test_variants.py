import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.dense.contract import load_dense
from index.fusion.contract import load_fusion
from index.sparse.contract import load_sparse
from spider.artifacts.stage import Stage
from spider.artifacts.variants import load_variant, variant_of
from spider.encoders.loading import load_encoder
from spider.errors import ArtifactError


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A family of three files: one that loads, one that does not, one that lacks a library."""
    folder = tmp_path / "family_of_three"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "whole.py").write_text("def load(folder):\n    return folder\n")
    (folder / "settings.py").write_text("loads = False\n")
    (folder / "hungry.py").write_text("import a_library_that_is_not_here\n\nload = print\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_the_files_load_function(family: str) -> None:
    assert load_variant(family, "whole", what="toy")(3) == 3


@pytest.mark.parametrize("variant", ["absent", "settings", "os.path", "../whole", "", "__init__"])
def test_what_is_no_variant(family: str, variant: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=f"{tmp_path}: no toy variant"):
        load_variant(family, variant, what="toy", where=tmp_path)


def test_a_missing_library_is_named_itself(family: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_here"):
        load_variant(family, "hungry", what="toy")


def test_every_family_refuses_a_module_that_loads_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no dense variant 'contract'"):
        load_dense(tmp_path, {"variant": "contract"})
    with pytest.raises(ArtifactError, match="no sparse variant 'contract'"):
        load_sparse(tmp_path, {"variant": "contract"})
    with pytest.raises(ArtifactError, match="no fusion variant 'reference'"):
        load_fusion({"variant": "reference"})
    stage = Stage(verb="train", kind="encoder", output=tmp_path / "e", config={}, inputs={})
    with stage.writing():
        stage.finish(counts={}, variant="padding")
    with pytest.raises(ArtifactError, match="no encoder variant 'padding'"):
        load_encoder(tmp_path / "e")


def test_the_variant_of_a_part_is_a_name() -> None:
    assert variant_of({"variant": "exact"}, where="here") == "exact"
    for details in ({}, {"variant": None}, {"variant": 3}):
        with pytest.raises(ArtifactError, match=r"here: got variant .*, expected the name of one"):
            variant_of(details, where="here")
