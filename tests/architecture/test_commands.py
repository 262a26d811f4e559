"""Commands that documents and benchmarks print can be run: their modules exist."""

import re
from pathlib import Path


def test_modules_of_printed_commands_exist(root: Path, packages: list[str]) -> None:
    command = re.compile(rf"python -m ((?:{'|'.join([*packages, 'benchmarks'])})(?:\.\w+)*)")
    found = set()
    for pattern in ("*.md", "Makefile", "docs/**/*.md", "benchmarks/**/*.py", "*/verbs/*.py"):
        for file in root.glob(pattern):
            for match in command.finditer(file.read_text(encoding="utf-8")):
                place = root / match[1].replace(".", "/")
                exists = place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
                assert exists, f"{file.relative_to(root)}: {match[0]}"
                found.add(match[1])
    assert {"benchmarks.jamba_gpu", "benchmarks.mining", "benchmarks.jamba.speed"} <= found
