from importlib.machinery import ModuleSpec

import pytest

from spider_odqa import shadowing


def test_our_own_packages_pass() -> None:
    shadowing.refuse_shadowed_packages()


def test_another_place_and_a_missing_package_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ModuleSpec("index", None, origin="/elsewhere/index.py")
    monkeypatch.setattr(shadowing, "find_spec", lambda name: found)
    with pytest.raises(ImportError, match=r"/elsewhere/index\.py hides the package"):
        shadowing.refuse_shadowed_packages()
    monkeypatch.setattr(shadowing, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="is missing"):
        shadowing.refuse_shadowed_packages()
