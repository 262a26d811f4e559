"""A check that no other module hides one of our top-level packages. It imports none of our code.

``index``, ``eval`` and ``conf`` are common names: a file ``index.py`` beside a person's script is
imported instead of our package, and the errors that follow do not say why.
"""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("conf", "eval", "index", "jamba_reader", "pretrain", "spider")
OURS = Path(__file__).resolve().parents[1]


def refuse_shadowed_packages() -> None:
    """Raise unless each package is imported from the folder that holds this one.

    Raises:
        ImportError: another module has the name of one of our packages, or one is missing.
    """
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None:
            raise ImportError(f"spider_odqa: the package {name!r} is missing; install it again")
        found = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
        place = Path(str(found[0])).resolve() if found else Path()
        if OURS not in place.parents:
            raise ImportError(
                f"spider_odqa: {place} hides the package {name!r} of spider-odqa; rename it, or "
                "start Python in another folder"
            )
