"""The files by which old and new versions of sentence-transformers load a folder.

The module types are the paths from before 5.4. Newer versions still accept them, but older ones
could not load the new paths.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from spider.artifacts.atomic_files import write_json

MODULES = "modules.json"
CONFIG = "config_sentence_transformers.json"
NO_PROMPTS = {"query": "", "document": ""}


def write_layout(
    folder: Path,
    modules: Sequence[tuple[str, str]],
    *,
    prompts: Mapping[str, str] = NO_PROMPTS,
) -> None:
    """Write ``modules.json`` and ``config_sentence_transformers.json``.

    Without ``similarity_fn_name`` the library would compare by cosine, with worse rankings.

    Args:
        folder: the checkpoint.
        modules: class and sub-folder of each step, in order.
        prompts: what precedes a text of each kind.
    """
    write_json(
        folder / MODULES,
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
        folder / CONFIG,
        {
            "__version__": {},
            "prompts": dict(prompts),
            "default_prompt_name": None,
            "similarity_fn_name": "dot",
        },
    )
