"""The files of a student: each tower is a folder of its own, and a router joins them.

sentence-transformers loads ``passages`` as StaticEmbedding + Normalize and ``questions`` as the
transformer. It loads the whole folder as a Router, from version 5 on: ``encode_query`` takes the
transformer, ``encode_document`` the table.
"""

from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import write_json
from spider.encoders.sentence_transformers_layout import write_layout
from spider.errors import CheckpointError
from spider.reading import read_json, read_json_object

QUESTIONS = "questions"
PASSAGES = "passages"
ROUTER = "router_config.json"
MODULES = "modules.json"
CONFIG = "config_sentence_transformers.json"
TOWER = "question"
"""The sub-folder of the question tower, where the teacher has one for questions alone."""


def write_router(folder: Path) -> None:
    """Write the files that join the folders of both towers.

    Raises:
        CheckpointError: a tower is no folder of sentence-transformers.
    """
    own = f"{QUESTIONS}/{TOWER}"
    questions = own if (folder / own / MODULES).is_file() else QUESTIONS
    routes = {"query": _steps(folder, questions), "document": _steps(folder, PASSAGES)}
    write_json(
        folder / ROUTER,
        {
            "types": {name: kind for steps in routes.values() for name, kind in steps},
            "structure": {route: [name for name, _ in steps] for route, steps in routes.items()},
            "parameters": {"default_route": None, "allow_empty_key": False},
        },
    )
    asked = read_json_object(folder / questions / CONFIG, error=CheckpointError).get("prompts")
    query = asked.get("query", "") if isinstance(asked, dict) else ""
    write_layout(folder, [("Router", "")], prompts={"query": query, "document": ""})


def _steps(folder: Path, tower: str) -> list[tuple[str, str]]:
    modules: Any = read_json(folder / tower / MODULES, error=CheckpointError)
    try:
        return [(f"{tower}/{step['path']}".rstrip("/"), step["type"]) for step in modules]
    except (TypeError, KeyError) as error:
        raise CheckpointError(f"{folder / tower / MODULES}: not a list of modules") from error
