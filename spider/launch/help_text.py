"""``spider --help`` and ``spider VERB --help``: verbs, settings with defaults, groups, examples."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from spider.launch.settings import StageSettings
from spider.launch.typed.objects import TARGET
from spider.launch.typed.schema import nested_class, settings_of
from spider.launch.verbs import examples, options, positionals_of, verbs

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
  spider help VERB         its settings, defaults and variants; also spider VERB --help
  spider VERB --cfg        the composed configuration, without running
  spider VERB --multirun   one run for each combination of a=1,2 settings
"""


def overview() -> str:
    """Return what ``spider --help`` prints."""
    listed = verbs()
    width = max(map(len, listed), default=0)
    lines = "".join(f"  {verb:<{width}}  {summary}\n" for verb, summary in listed.items())
    return OVERVIEW + lines + CLOSING


def verb_help(verb: str, cls: type[Any], config: Any, choices: Mapping[str, str | None]) -> str:
    """Return what ``spider VERB --help`` prints.

    Args:
        verb: the verb.
        cls: its settings dataclass.
        config: its composed configuration: a mapping with the defaults and the overrides.
        choices: the variant of each ``GROUP`` or ``GROUP@PLACE``.
    """
    from omegaconf import OmegaConf

    values = cast(Mapping[str, Any], OmegaConf.to_container(config, resolve=False))
    words = "".join(f" [{name.rpartition('.')[2].upper()}]" for name in positionals_of(cls))
    parts = [f"spider {verb}{words} [--flag VALUE ...] [setting=value ...]\n\n{verbs()[verb]}\n"]
    places = _places(cls, choices)
    chosen = {place: f"{key}={choices[key] or 'null'}" for place, key in places.items()}
    shared = set(settings_of(StageSettings))
    rows = sorted(
        setting_rows(cls, values, chosen), key=lambda row: row[0].partition("=")[0] in shared
    )
    parts.append("\nsettings:\n" + "".join(f"  {left}\n      {text}\n" for left, text in rows))
    for place, key in places.items():
        named = "." in place and place.rpartition(".")[0] not in places
        parts.append(_variants(key, place, values, chosen, named=named))
    lines = examples(verb)
    parts.append("\nexamples:\n" + "".join(f"  {line}\n" for line in lines) if lines else "")
    return "".join(parts)


def setting_rows(
    cls: type[Any], values: Mapping[str, Any], chosen: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield each setting with its description; the name of a nested setting is its path.

    Args:
        cls: the class that takes the settings.
        values: their values.
        chosen: for a setting that a variant fills, by its path: how the variant is chosen.
        prefix: the path of these settings.
    """
    for setting in settings_of(cls).values():
        path = f"{prefix}{setting.name}"
        value = values.get(setting.name)
        nested = nested_class(setting.annotation)
        variants = [text for place, text in chosen.items() if _fills(place, path)]
        if variants:
            yield from ((text, setting.description.replace("``", "")) for text in variants)
        elif nested is not None and isinstance(value, Mapping) and TARGET not in value:
            yield from setting_rows(nested, value, chosen, f"{path}.")
        else:
            yield f"{path}={_show(value)}", setting.description.replace("``", "")


def _places(cls: type[Any], choices: Mapping[str, str | None]) -> dict[str, str]:
    """Return where each ``GROUP@PLACE`` puts its variant, ordered as the settings are listed."""
    order = list(settings_of(cls))
    found = {key.rpartition("@")[2]: key for key in choices}

    def position(place: str) -> tuple[int, str]:
        root = place.partition(".")[0]
        return order.index(root) if root in order else len(order), place

    return {place: found[place] for place in sorted(found, key=position)}


def _fills(place: str, path: str) -> bool:
    """Tell whether a variant at ``place`` is the setting at ``path``, or one of its entries."""
    return place == path or place.rpartition(".")[0] == path


def _variants(
    key: str, place: str, values: Mapping[str, Any], chosen: Mapping[str, str], *, named: bool
) -> str:
    """Describe a group: its variants, and the settings of the one that is chosen.

    Args:
        key: ``GROUP`` or ``GROUP@PLACE``, as it is typed.
        place: the path of the setting that the variant fills.
        values: the whole configuration.
        chosen: how each variant is chosen, by its place.
        named: whether the variant is an entry of a mapping, which may have more of them.
    """
    group = key.partition("@")[0]
    # entries of a mapping have names that a person may choose
    more = f" (one more: +{group}@{place.rpartition('.')[0]}.NAME=VARIANT)" if named else ""
    lines = [f"\n{key}= one of{more}:\n"]
    lines += [f"  {name:<22} {text}\n" for name, text in options(group).items()]
    value: Any = values
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and TARGET in value:
        from spider.launch.typed.objects import import_class

        cls = import_class(str(value[TARGET]))
        rows = list(setting_rows(cls, value, chosen, f"{place}."))
        lines.append(f"settings of the chosen {group}:\n" if rows else "")
        lines += [f"  {left}\n      {text}\n" for left, text in rows]
    return "".join(lines)


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
