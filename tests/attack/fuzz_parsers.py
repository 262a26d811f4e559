"""The parsers that are attacked, each with a small valid input.

The parsers in ``fuzz_artifacts`` need artifacts that take a minute to make.
"""

import bz2
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tests.attack.fuzz_run import Parser

TEXT = (
    "The turbine turns. Silt settles below the mill, and the water wheel lifts it again.\n\n"
    "A second paragraph: “quoted”, naïve, 42 % of 3,000 litres; see https://example.org/a?b=c.\n"
)
ROWS = [{"id": f"d{n}", "title": f"Mill {n}", "text": TEXT * (n + 1)} for n in range(3)]
HTML = (
    "<!doctype html><html><head><title>Mill</title><meta charset=utf-8><style>a{}</style></head>"
    f"<body><nav>menu</nav><h1>Mill</h1><p>{TEXT}<ul><li>one<li>two</ul><table><tr><td>1<td>2</table>"
    "<pre>x &lt; y</pre><script>alert(1)</script><a href='#'>link</a>&nbsp;&#x41;</body></html>"
)
MARKDOWN = (
    f"---\ntitle: Mill\n---\n# Mill\n\n{TEXT}\n- one\n- *two*\n\n```python\nx = 1\n```\n"
    "[a](b) ![c](d)\n"
)
RST = (
    f"Mill\n====\n\n{TEXT}\n.. note:: a\n\n   b\n\n* one\n\n::\n\n  code\n\n`a <b>`_ |s| :ref:`x`\n"
)
DAMAGEABLE = 200_000
"""Bytes of the largest file of an artifact that is damaged."""


def json_lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def documents(source: Any) -> int:
    """Read every document; two of a source's checks happen before and after."""
    source.fingerprint()
    return sum(len(document.text) for document in source.documents())


def questions(source: Any, folder: Path) -> None:
    """Read a question set, save it and load it, as ``prepare-questions`` and ``search`` do."""
    from spider.question import load_question_set

    source.fingerprint()
    found = source.read()
    with tempfile.TemporaryDirectory(dir=folder.parent) as saved:
        found.save(Path(saved))
        load_question_set(Path(saved))


def folder() -> Parser:
    from spider.sources.extraction.isolation import Isolation
    from spider.sources.files.limits import ExtractionLimits
    from spider.sources.folder import Folder

    class _Lasting(Isolation):
        """Does not end its process with a folder; the process ends with this one."""

        def __exit__(self, *_: object) -> None:
            pass

    files = {
        "a.txt": TEXT.encode(), "b.md": MARKDOWN.encode(), "c.html": HTML.encode(),
        "d.rst": RST.encode(), "e.pdf": pdf(), "sub/f.docx": docx(),
    }  # fmt: skip
    # starting the process that extracts takes 0.5 s, and one extracts the files of every case
    process = _Lasting(ExtractionLimits(seconds=10.0))

    def run(place: Path) -> None:
        with patch("spider.sources.folder.Isolation", lambda _: process):
            documents(Folder(path=place))

    return Parser("folder", files, run, share=0.1)


def file_type(name: str, content: bytes, share: float) -> Parser:
    """Return the parser of one file type, whose error is a reason in the report."""
    from spider.sources.extraction.extracted import NotExtractedError
    from spider.sources.extraction.file_types import file_types
    from spider.sources.extraction.isolation import Isolation
    from spider.sources.files.limits import ExtractionLimits

    suffix = f".{name.rpartition('.')[2]}"
    kind = next(kind for kind in file_types() if suffix in kind.suffixes)
    isolation = Isolation(ExtractionLimits(seconds=10.0))

    def run(place: Path) -> None:
        data = (place / name).read_bytes() if (place / name).is_file() else b""
        try:
            title, text, _ = isolation.extract(kind, data)
        except NotExtractedError:
            pass
        else:
            assert isinstance(title, str)
            text.encode("utf-8")

    return Parser(f"extraction{suffix}", {name: content}, run, share=share)


def pdf() -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    for number in range(2):
        page = writer.add_blank_page(200, 200)
        kind = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
        font = DictionaryObject({NameObject(k): NameObject(v) for k, v in kind.items()})
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td (The turbine turns {number}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Title": "Mill"})
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def docx() -> bytes:
    import docx as library

    document = library.Document()
    document.core_properties.title = "Mill"
    document.add_heading("Mill", 1)
    document.add_paragraph(TEXT)
    document.add_table(rows=1, cols=2).rows[0].cells[0].text = "cell"
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def jsonl(suffix: str = "") -> Parser:
    from spider.sources.jsonl import JsonLines

    name = f"d.jsonl{suffix}"
    content = compress(suffix, json_lines(ROWS))
    return Parser(
        f"jsonl{suffix}",
        {name: content},
        lambda place: documents(JsonLines(path=place / name)),
        share=2 if suffix else 6,
    )


def compress(suffix: str, data: bytes) -> bytes:
    import zstandard

    found: dict[str, Callable[[bytes], bytes]] = {
        "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
        ".zst": zstandard.ZstdCompressor().compress,
    }  # fmt: skip
    return found[suffix](data)


def psgs() -> Parser:
    from spider.sources.psgs_w100 import PsgsW100

    rows = [f'{n}\t"{row["text"][:90]} ""x"""\t{row["title"]}' for n, row in enumerate(ROWS)]
    rows = ["id\ttext\ttitle", *(row.replace("\n", " ") for row in rows)]
    files = {"p.tsv": "".join(f"{row}\n" for row in rows).encode()}
    return Parser(
        "psgs_w100", files, lambda place: documents(PsgsW100(path=place / "p.tsv")), share=4
    )


BEIR = {
    "corpus.jsonl": json_lines([{"_id": row["id"], **row} for row in ROWS]),
    "queries.jsonl": json_lines([{"_id": f"q{n}", "text": f"what is {n}?"} for n in range(3)]),
    "qrels/test.tsv": b"query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t2\nq1\td2\t0\n",
}


def beir(*, zipped: bool) -> Parser:
    from spider.questions.beir import BeirQuestions
    from spider.sources.beir import Beir

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in BEIR.items():
            archive.writestr(f"nf/{name}", content)

    def run(place: Path) -> None:
        path = place / "nf.zip" if zipped else place
        documents(Beir(path=path))
        questions(BeirQuestions(path=path, name="X"), place)

    files = {"nf.zip": made.getvalue()} if zipped else BEIR
    return Parser("beir_zip" if zipped else "beir", files, run, share=0.1 if zipped else 2)


def wikiextractor() -> Parser:
    from spider.sources.wikiextractor import WikiExtractor

    articles = [
        f'<doc id="{n}" url="x" title="{row["title"]}">\n{row["title"]}\n\n{row["text"]}\n</doc>\n'
        for n, row in enumerate(ROWS)
    ]
    files = {"AA/wiki_00": "".join(articles).encode(), "AB/wiki_01": json_lines(ROWS)}
    return Parser(
        "wikiextractor", files, lambda place: documents(WikiExtractor(path=place)), share=4
    )


def parquet() -> Parser:
    import pyarrow
    from pyarrow import parquet as library

    from spider.sources.hugging_face import HuggingFace

    made = io.BytesIO()
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    library.write_table(pyarrow.table(columns), made)
    return Parser(
        "parquet",
        {"rows.parquet": made.getvalue()},
        lambda place: documents(HuggingFace(path=str(place / "rows.parquet"))),
        share=0.1,
    )


def question_formats() -> list[tuple[str, dict[str, bytes], Callable[[Path], Any]]]:
    from spider.questions.curated_trec import CuratedTrec
    from spider.questions.dpr_qa import DprQa
    from spider.questions.entity_questions import EntityQuestions
    from spider.questions.jsonl import JsonLinesQuestions
    from spider.questions.plain_text import PlainText
    from spider.questions.web_questions import WebQuestions

    asked = [{"id": str(n), "question": f"what is {n}?", "answer": ["a", "b"]} for n in range(3)]
    entities = [{"question": "who?", "answers": ["a"]}, {"question": "where?", "answers": ["b"]}]
    web = [{"qId": str(n), "qText": f"who {n}", "answers": ["a"]} for n in range(3)]
    return [
        ("jsonl", {"q": json_lines(asked)}, lambda f: JsonLinesQuestions(path=f / "q", name="X")),
        ("plain_text", {"q": b"who?\nwhat?\n"}, lambda f: PlainText(path=f / "q")),
        (
            "dpr_qa",
            {"q": b'who?\t[\'a\', "b\'s"]\n"what ""x""?"\t[\'c\']\n'},
            lambda f: DprQa(path=f / "q", name="X"),
        ),
        (
            "curated_trec",
            {"q": b"1\tfactoid\twho?\tA( |-)b\n2\tlist\twhat?\t(?i)c+\n"},
            lambda f: CuratedTrec(path=f / "q"),
        ),
        (
            "entity_questions",
            {"P1.dev.json": json.dumps(entities).encode()},
            lambda f: EntityQuestions(path=f),
        ),
        (
            "web_questions",
            {"q.json": json.dumps(web).encode()},
            lambda f: WebQuestions(path=f / "q.json"),
        ),
    ]


def question_format(name: str) -> Parser:
    _, files, make = next(entry for entry in question_formats() if entry[0] == name)
    return Parser(
        f"questions_{name}",
        files,
        lambda place: questions(make(place), place),
        share=0.3 if name == "plain_text" else 3,
    )


def saved_questions() -> Parser:
    from spider.question import Question, QuestionSet, load_question_set

    asked = tuple(
        Question(id=str(n), text="who?", answers=("a",), tags={"a": "b"}, grades={"d1": 2})
        for n in range(2)
    )
    with tempfile.TemporaryDirectory() as made:
        QuestionSet(name="n", questions=asked).save(Path(made))
        files = read_folder(Path(made))
    return Parser("saved_questions", files, load_question_set, share=6)


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def array() -> Parser:
    from spider.array_file import load_array
    from spider.artifacts.array_stream import open_array
    from spider.errors import ArtifactError

    made = io.BytesIO()
    np.save(made, np.arange(12, dtype=np.int64).reshape(3, 4))

    def run(place: Path) -> None:
        for found in (
            load_array(place / "a.npy", error=ArtifactError),
            load_array(place / "a.npy", error=ArtifactError, mapped=True),
            open_array(place / "a.npy"),
        ):
            found.tobytes()

    return Parser("npy", {"a.npy": made.getvalue()}, run, share=6)


def weights() -> Parser:
    import torch
    from safetensors.torch import save

    from spider.encoders.weights import load_weights

    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}
    made = io.BytesIO()
    torch.save(tensors, made)

    def run(place: Path) -> None:
        for name in ("w.safetensors", "w.bin"):
            sum(tensor.numel() for tensor in load_weights(place / name).values())

    return Parser(
        "weights", {"w.safetensors": save(tensors), "w.bin": made.getvalue()}, run, share=0.5
    )


def tokenizer() -> Parser:
    from spider.text.special_tokens import SPECIAL_TOKENS
    from spider.text.tokenizer import Tokenizer, load_tokenizer, wordpiece

    pieces = [*SPECIAL_TOKENS, "the", "turbine", "turn", "##s", ".", "a"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    with tempfile.TemporaryDirectory() as made:
        Tokenizer(wordpiece(vocabulary, lower_case=True)).save(Path(made))
        files = {**read_folder(Path(made)), "vocab.txt": "\n".join(pieces).encode()}

    def run(place: Path) -> None:
        for name in files:
            found = load_tokenizer(place / name)
            assert found.lower_case in (True, False)
            found.encode_with_spans(["The turbines turn. naïve \U0001f600", ""])

    return Parser("tokenizer", files, run, share=2)


@cache
def makers() -> dict[str, Callable[[], Parser]]:
    """Return what makes each parser, by its name; making one may import much."""
    from tests.attack import fuzz_artifacts, fuzz_jamba

    light: dict[str, Callable[[], Parser]] = {
        "folder": folder,
        "extraction.txt": lambda: file_type("a.txt", TEXT.encode(), 2),
        "extraction.md": lambda: file_type("b.md", MARKDOWN.encode(), 2),
        "extraction.html": lambda: file_type("c.html", HTML.encode(), 0.3),
        "extraction.rst": lambda: file_type("d.rst", RST.encode(), 2),
        "extraction.pdf": lambda: file_type("e.pdf", pdf(), 0.2),
        "extraction.docx": lambda: file_type("f.docx", docx(), 0.05),
        "jsonl": jsonl,
        **{f"jsonl{end}": (lambda e=end: jsonl(e)) for end in (".gz", ".bz2", ".xz", ".zst")},
        "psgs_w100": psgs,
        "beir": lambda: beir(zipped=False),
        "beir_zip": lambda: beir(zipped=True),
        "wikiextractor": wikiextractor,
        "parquet": parquet,
        **{
            f"questions_{name}": (lambda n=name: question_format(n))
            for name in (
                "jsonl", "plain_text", "dpr_qa", "curated_trec", "entity_questions",
                "web_questions",
            )
        },
        "saved_questions": saved_questions,
        "npy": array,
        "weights": weights,
        "tokenizer": tokenizer,
    }  # fmt: skip
    return {**light, **fuzz_jamba.MAKERS, **fuzz_artifacts.MAKERS}


def parser_of(name: str) -> Parser:
    return makers()[name]()


def shares_of(names: Sequence[str]) -> dict[str, float]:
    """Return the share of each parser; making all of them takes a minute."""
    return {name: parser_of(name).share for name in names}
