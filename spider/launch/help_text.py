"""``spider --help`` and ``spider VERB --help``: verbs, settings with defaults, groups, examples."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from spider.launch.settings import StageSettings
from spider.launch.typed.objects import TARGET
from spider.launch.typed.schema import nested_class, settings_of
from spider.launch.verbs import (
    examples,
    groups,
    options,
    positionals_of,
    variant_file,
    verbs,
)

OVERVIEW = """\
spider: label-free question answering over your documents

  spider quickstart                      try it on Python's own documentation
  spider quickstart ~/notes              the same on your files
  spider search "who wrote the report?"  ranked passages from the last workspace
  spider doctor                          what works on this machine, and how to fix the rest

usage: spider VERB [words and --flags] [setting=value ...]

verbs:
"""
CLOSING = """
  spider VERB --help       its settings, defaults and variants
  spider VERB --cfg        the composed configuration, without running
  spider VERB --multirun   one run for each combination of a=1,2 settings
"""


def overview() -> str:
    """Return what ``spider --help`` prints."""
    listed = verbs()
    width = max(map(len, listed), default=0)
    lines = "".join(f"  {verb:<{width}}  {summary}\n" for verb, summary in listed.items())
    return OVERVIEW + lines + CLOSING


def verb_help(verb: str, cls: type[Any], config: Any) -> str:
    """Return what ``spider VERB --help`` prints.

    Args:
        verb: the verb.
        cls: its settings dataclass.
        config: its composed configuration: a mapping with the defaults and the overrides.
    """
    from omegaconf import OmegaConf

    values = cast(Mapping[str, Any], OmegaConf.to_container(config, resolve=False))
    words = "".join(f" [{name.rpartition('.')[2].upper()}]" for name in positionals_of(cls))
    parts = [f"spider {verb}{words} [--flag VALUE ...] [setting=value ...]\n\n{verbs()[verb]}\n"]
    shared = set(settings_of(StageSettings))
    rows = sorted(setting_rows(cls, values), key=lambda row: row[0].partition("=")[0] in shared)
    parts.append("\nsettings:\n" + "".join(f"  {left}\n      {text}\n" for left, text in rows))
    for group in chosen_groups(cls):
        parts.append(_variants(group, values.get(group)))
    lines = examples(verb)
    parts.append("\nexamples:\n" + "".join(f"  {line}\n" for line in lines) if lines else "")
    return "".join(parts)


def setting_rows(
    cls: type[Any], values: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield each setting with its description; the name of a nested setting is its path."""
    for setting in settings_of(cls).values():
        value = values.get(setting.name)
        nested = nested_class(setting.annotation)
        if nested is not None and isinstance(value, Mapping) and TARGET not in value:
            yield from setting_rows(nested, value, f"{prefix}{setting.name}.")
        else:
            shown = _variant(setting.name, value) or _show(value)
            yield f"{prefix}{setting.name}={shown}", setting.description.replace("``", "")


def chosen_groups(cls: type[Any]) -> list[str]:
    """Return the groups whose variants fill settings of a class."""
    return [name for name in settings_of(cls) if name in groups()]


def _variants(group: str, value: Any) -> str:
    """Describe a group: its variants, and the settings of the one that is chosen."""
    lines = [f"\n{group}= one of:\n"]
    lines += [f"  {name:<22} {text}\n" for name, text in options(group).items()]
    if isinstance(value, Mapping) and TARGET in value:
        from spider.launch.typed.objects import import_class

        cls = import_class(str(value[TARGET]))
        rows = list(setting_rows(cls, value, f"{group}."))
        lines.append(f"settings of the chosen {group}:\n" if rows else "")
        lines += [f"  {left}\n      {text}\n" for left, text in rows]
    return "".join(lines)


def _variant(group: str, value: Any) -> str:
    """Return the variant of a group that a value comes from; empty if it is none."""
    if group not in groups() or not isinstance(value, Mapping) or TARGET not in value:
        return ""
    files = {name: variant_file(group, name) for name in options(group)}
    fitting = [
        (len(file), name)
        for name, file in files.items()
        if all(value.get(key) == wanted for key, wanted in file.items())
    ]
    # of several, the one that says most about the values
    return max(fitting, default=(0, ""))[1]


def _show(value: Any) -> str:
    """Write a default in the form in which a person types it."""
    if isinstance(value, Mapping):
        if TARGET in value:
            return str(value[TARGET]).rpartition(".")[2]
        # a list of stages, say, would fill the page
        inner = {key: _show(item) if _is_short(item) else "..." for key, item in value.items()}
        return "{" + ", ".join(f"{key}: {shown}" for key, shown in inner.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(dict.fromkeys(map(_show, value)))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _is_short(value: Any) -> bool:
    return not isinstance(value, Mapping | list) or (isinstance(value, Mapping) and TARGET in value)
