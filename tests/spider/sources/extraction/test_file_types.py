import pkgutil
from types import ModuleType

import pytest

from spider.sources import extraction
from spider.sources.extraction import file_types as module
from spider.sources.extraction.extracted import Extracted


def test_modules_without_suffixes_are_no_file_types() -> None:
    names = {found.name for found in pkgutil.iter_modules(extraction.__path__)}
    assert {"decoding", "extracted", "file_types"} == names - {k.name for k in module.file_types()}


def test_a_further_module_is_found_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = ModuleType("toy_text")
    toy.SUFFIXES = (".toy",)  # type: ignore[attr-defined]
    toy.extract = lambda data: Extracted("", data.decode())  # type: ignore[attr-defined]
    found = [pkgutil.ModuleInfo(None, "toy_text", False)]  # type: ignore[arg-type]
    monkeypatch.setattr(pkgutil, "iter_modules", lambda path: found)
    monkeypatch.setattr(module, "import_module", lambda name: toy)
    (kind,) = module.file_types.__wrapped__()
    assert (kind.name, kind.suffixes, kind.package) == ("toy_text", (".toy",), None)
    assert kind.extract(b"x").text == "x"
