"""Words that the code and the documents avoid."""

import re
from pathlib import Path
from typing import Any

#: "ctx" is autograd's word for its first argument
SHORT_FORMS = re.compile(r"\b(psg|psgs|ctxs)\b")
AUTOGRAD = re.compile(r"\bctx\b")
#: names of file formats and of their fields, which are not ours to choose
FORMAT_WORDS = re.compile(r"psgs_w100|positive_ctxs|negative_ctxs|\"ctxs\"|'ctxs'|`ctxs`")
#: metaphors of a building, and other figures of speech that a reader has to decode
METAPHORS = re.compile(
    r"\b(houses?|doors?|rooms?|wings?|ground floor|twins?|roads?|(?<!by )way of)\b",
    re.IGNORECASE,
)
#: words that a person whose second language is English may not know, or not in this sense
OLD_FASHIONED = re.compile(
    r"\b(mends?|mended|anew|likewise|so many|go(es|ing) on|at hand|takes up again)\b",
    re.IGNORECASE,
)


def test_short_forms_stay_out_of_the_code(modules: list[Any]) -> None:
    for module in modules:
        differentiates = "autograd" in module.text
        for number, line in enumerate(module.text.splitlines(), start=1):
            found = SHORT_FORMS.search(FORMAT_WORDS.sub("", line))
            if not differentiates:
                found = found or AUTOGRAD.search(line)
            assert not found, f"{module.file}:{number}: {line.strip()}"


def test_no_metaphors(root: Path, packages: list[str]) -> None:
    files = [
        *(root / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")),
        *sorted(root.glob("docs/**/*.md")),
        *(
            file
            for folder in [*packages, "benchmarks"]
            for suffix in ("py", "yaml")
            for file in sorted((root / folder).rglob(f"*.{suffix}"))
        ),
    ]
    offenders = [
        f"{file.relative_to(root)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if METAPHORS.search(line)
    ]
    assert not offenders, "\n".join(offenders)


def test_old_fashioned_words_stay_out(root: Path, packages: list[str]) -> None:
    for folder in [*packages, "benchmarks"]:
        for file in sorted((root / folder).rglob("*.py")):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
                assert not OLD_FASHIONED.search(line), f"{file}:{number}: {line.strip()}"
