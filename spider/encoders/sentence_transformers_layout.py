"""The files that make a folder load in sentence-transformers, old and new.

The module types are the paths of before 5.4, which newer versions still accept; the new paths
would not load in older ones.
"""

from collections.abc import Sequence
from pathlib import Path

from spider.artifacts.atomic_files import write_json


def write_layout(folder: Path, modules: Sequence[tuple[str, str]]) -> None:
    """Write ``modules.json`` and ``config_sentence_transformers.json``.

    Without ``similarity_fn_name`` a user would get the cosine, and worse ranks.

    Args:
        folder: the checkpoint.
        modules: class and sub-folder of each step, in order.
    """
    write_json(
        folder / "modules.json",
        [
            {
                "idx": number,
                "name": str(number),
                "path": path,
                "type": f"sentence_transformers.models.{name}",
            }
            for number, (name, path) in enumerate(modules)
        ],
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {},
            "prompts": {"query": "", "document": ""},
            "default_prompt_name": None,
            "similarity_fn_name": "dot",
        },
    )
