"""The files by which old and new versions of sentence-transformers load a folder.

The module types are the paths from before 5.4. Newer versions still accept them, but older ones
could not load the new paths.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from spider.artifacts.atomic_files import write_json


def write_layout(
    folder: Path,
    modules: Sequence[tuple[str, str]],
    *,
    similarity: str = "dot",
    prompts: Mapping[str, str] | None = None,
) -> None:
    """Write ``modules.json`` and ``config_sentence_transformers.json``.

    Args:
        folder: the checkpoint.
        modules: class and sub-folder of each step, in order.
        similarity: how vectors are compared; without it the library would compare by cosine, with
            worse rankings.
        prompts: the texts before each ``query`` and each ``document``.
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
            "prompts": dict(prompts or {"query": "", "document": ""}),
            "default_prompt_name": None,
            "similarity_fn_name": similarity,
        },
    )
