"""Checks every annotation of every package while the tests run, by jaxtyping and beartype.

pytest reads this file before the folders' own, so that no package is imported without the checks.
"""

import sys
import tomllib
from pathlib import Path

from jaxtyping import install_import_hook

_PROJECT = tomllib.loads(Path(__file__).with_name("pyproject.toml").read_text(encoding="utf-8"))
_PACKAGES = _PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

if _EARLY := set(_PACKAGES) & set(sys.modules):
    raise RuntimeError(f"imported before its annotations could be checked: {sorted(_EARLY)}")
install_import_hook(_PACKAGES, "beartype.beartype")
