"""Every file is read through ``spider.reading``, so that a failed read is an error of the tree."""

import ast
from collections.abc import Iterator
from typing import Any

#: calls that read a file, or parse what was read, and raise errors outside the tree
READS = {
    "read_text", "read_bytes", "ZipFile", "safe_open", "load_file", "ParquetFile", "from_file",
    "memmap", "fromfile",
}  # fmt: skip
#: the same under a name that means a read only in one module
QUALIFIED = {
    "json.load",
    "json.loads",
    "np.load",
    "torch.load",
    "bz2.open",
    "gzip.open",
    "lzma.open",
    "faiss.read_index",
}
#: modules that read in another way, and why
READERS = {
    "spider.reading": "it is the rule",
    "spider.parsing.json_text": "spider.reading calls it",
    "spider.artifacts.provenance": "reads /proc/cpuinfo, which Linux writes",
    "index.dense.faiss_file": "faiss opens its own files; its errors are turned",
    "index.dense.faiss_flat": "calls the function of faiss_file",
    "index.dense.faiss_sqfp16": "calls the function of faiss_file",
    "index.sparse.jvm": "reads the release file of the Java runtime",
    "jamba_reader.cache.file": "safetensors opens it, after open_regular()",
    "jamba_reader.checkpoints.files": "safetensors opens it, after open_regular()",
    "jamba_reader.checkpoints.stored": "safetensors opens what checkpoints.files has checked",
    "jamba_reader.tokenization.token_bytes": "parses what the library made",
    "spider.encoders.start.wheel": "opens the archive inside reading(), after open_regular()",
    "spider.encoders.weights": "reads inside reading()",
    "spider.text.special_tokens": "parses what the library made",
    "spider.text.tokenizer": "parses what the library made",
    "spider.text.wordpiece.encoder": "parses what the library made",
    "spider.training.training_checkpoint": "turns whatever torch raises into an error of the tree",
    "spider.array_file": "reads inside reading()",
    "spider.launch.verbs": "reads yaml files of this package",
    "spider.launch.completion": "reads yaml files of this package, also through Hydra",
    "spider.launch.typed.content": "copies a value that it has just written as JSON",
    "spider.compilation": "reads Python files of this package",
    "spider.sources.files.compression": "opens every compressed stream and names its damage",
}


def reads(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls that read a file."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            # read_text() and read_bytes() are those of spider.reading
            if node.func.id in READS - {"read_text", "read_bytes"}:
                yield node
            if node.func.id == "open" and mode(node, place=1) == "r":
                yield node
        elif isinstance(node.func, ast.Attribute):
            named = ast.unparse(node.func)
            if node.func.attr in READS or named in QUALIFIED:
                yield node
            # a class of ours has an open() too
            if node.func.attr == "open" and opens_a_path(node) and mode(node, place=0) == "r":
                yield node


def mode(call: ast.Call, place: int) -> str:
    """Return "r" for a call of ``open`` that reads, else "w"."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[place : place + 1]
    if not given:
        return "r"
    return "r" if isinstance(given[0], ast.Constant) and "r" in str(given[0].value) else "w"


def opens_a_path(call: ast.Call) -> bool:
    """Say whether the arguments are those of ``Path.open``."""
    return all(
        keyword.arg in {"mode", "encoding", "errors", "newline"} for keyword in call.keywords
    )


def test_a_read_is_recognised() -> None:
    source = """
path.read_text(encoding="utf-8")
path.open()
path.open("rb")
path.open(encoding="utf-8")
open(path)
json.loads(text)
np.load(path, mmap_mode="r")
safe_open(path, framework="pt")
zipfile.ZipFile(path)
path.open("wb")
open(path, "w")
read_text(path)
Corpus.open(path)
engine.open(systems=wanted)
json.dumps(value)
"""
    assert [call.lineno for call in reads(ast.parse(source))] == list(range(2, 11))


def test_every_file_is_read_through_one_module(modules: list[Any]) -> None:
    offenders = [
        f"{module.file}:{call.lineno}: {ast.unparse(call)}"
        for module in modules
        if module.name not in READERS
        for call in reads(module.tree)
    ]
    assert not offenders, "\n".join(["read it with a function of spider.reading:", *offenders])


def test_every_exception_is_needed(modules: list[Any]) -> None:
    reading = {module.name for module in modules if any(reads(module.tree))}
    assert READERS.keys() - reading <= {"spider.reading"}, "remove them from the list"
