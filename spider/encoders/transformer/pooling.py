"""Refuses checkpoints whose vector is not the raw [CLS] state, which is all that ``bert`` computes.

A mean-pooled checkpoint read as [CLS] gives other vectors without any error.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spider.errors import CheckpointError
from spider.reading import read_json

MODULES = "modules.json"
POOLING = "1_Pooling/config.json"
SETTINGS = "config_sentence_transformers.json"
ARCHITECTURES = {
    "Contriever": "mean pooling",
    "HF_ColBERT": "one vector for each token",
    "ColBERT": "one vector for each token",
}
"""Checkpoints that say in ``config.json`` alone how they make a vector."""
ALLOWED_MODULES = ("Transformer", "Pooling")


def check_pooling(source: str | Path) -> None:
    """Refuse a checkpoint with another pooling, normalisation, further layers or prompts.

    Args:
        source: a folder, or a name on the hub. One that does not exist passes: loading it names
            the reason.

    Raises:
        CheckpointError: one line that names what the checkpoint needs.
    """
    for needed in _needs(source):
        raise CheckpointError(
            f"{source}: this encoder needs {needed}, and architecture=bert takes the raw [CLS] "
            "state, so its vectors would be wrong; start from a checkpoint with [CLS] vectors, or "
            "from a plain language model such as bert-base-uncased"
        )


def _needs(source: str | Path) -> Iterator[str]:
    names = _mapping(source, "config.json").get("architectures")
    for name in names if isinstance(names, list) else ():
        if name in ARCHITECTURES:
            yield f"{ARCHITECTURES[name]} (architecture {name})"
    yield from _modules(source)
    settings = _mapping(source, SETTINGS)
    prompts = settings.get("prompts")
    for name, prompt in prompts.items() if isinstance(prompts, dict) else ():
        if prompt:
            yield f"the prompt {prompt!r} before each {name}"
    similarity = settings.get("similarity_fn_name")
    if similarity not in (None, "dot"):
        yield f"{similarity} similarity"


def _modules(source: str | Path) -> Iterator[str]:
    modules = _read(source, MODULES)
    if modules is None:
        # a folder that was copied in part
        yield from _pooling(source, POOLING, required=False)
        for module in ("2_Normalize", "2_Dense"):
            if (Path(source) / module).is_dir():
                yield f"the module {module}"
        return
    if not isinstance(modules, list) or not all(isinstance(one, dict) for one in modules):
        raise CheckpointError(f"{source}/{MODULES}: expected a list of modules")
    for module in modules:
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in ALLOWED_MODULES:
            yield f"the module {kind or 'without a type'}"
        elif kind == "Pooling":
            yield from _pooling(source, f"{module.get('path', '')}/config.json", required=True)


def _pooling(source: str | Path, name: str, *, required: bool) -> Iterator[str]:
    """Yield the modes besides [CLS]: sentence-transformers 5.4 changed how the file names them."""
    config = _mapping(source, name)
    modes = config.get("pooling_mode", ())
    found = {str(mode) for mode in ([modes] if isinstance(modes, str) else modes or ())}
    found |= {
        key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
        for key, used in config.items()
        if key.startswith("pooling_mode_") and used is True
    }
    if found == {"cls"} or (not found and not required and not config):
        return
    yield f"{' and '.join(sorted(found)) or 'an unknown'} pooling"


def _mapping(source: str | Path, name: str) -> Mapping[str, Any]:
    value = _read(source, name)
    return value if isinstance(value, dict) else {}


def _read(source: str | Path, name: str) -> Any:
    path = _find(source, name)
    return None if path is None else read_json(path, error=CheckpointError)


def _find(source: str | Path, name: str) -> Path | None:
    folder = Path(source).expanduser()
    if folder.exists():
        return folder / name if (folder / name).is_file() else None
    from transformers.utils.hub import cached_file

    try:
        found = cached_file(
            str(source),
            name,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            _raise_exceptions_for_gated_repo=False,
        )
    except (OSError, ValueError):
        return None
    return None if found is None else Path(found)
