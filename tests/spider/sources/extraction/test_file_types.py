import pkgutil
from types import ModuleType

import pytest

from spider.sources import extraction
from spider.sources.extraction import file_types as module
from spider.sources.extraction.extracted import Extracted


def test_modules_without_suffixes_are_no_file_types() -> None:
    names = {found.name for found in pkgutil.iter_modules(extraction.__path__)}
    others = names - {kind.name for kind in module.file_types()}
    assert others == {"decoding", "extracted", "file_types", "isolation", "worker"}


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
    # a parser that nobody has declared harmless gets a process of its own
    assert kind.isolated


def test_what_only_decodes_needs_no_process() -> None:
    isolated = {kind.name for kind in module.file_types() if kind.isolated}
    assert isolated == {"docx_text", "html_text", "pdf_text"}
