"""A data set of BEIR from its files to a report, with every trap of the format in it."""

import json
from pathlib import Path
from typing import Any

CORPUS = [
    {"_id": "d1", "title": "", "text": "Copper copper copper wire"},
    {"_id": "d2", "title": "", "text": "Copper wire and other goods of a shop in town"},
    {"_id": "d3", "title": "", "text": "Glass insulates."},
    {"_id": "train", "title": "", "text": "Night trains replace short flights."},
    {"_id": "answer", "title": "Night trains replace few flights", "text": ""},
]
QUERIES = {
    "graded": "copper",
    "without": "glass",
    "train": "Night trains replace short flights.",
    "absent": "what insulates",
}
JUDGED = [
    *(("graded", "d1", 1), ("graded", "d2", 2), ("graded", "d3", 0), ("without", "d3", 0)),
    *(("train", "answer", 1), ("train", "train", 1), ("absent", "d3", 1), ("absent", "d9", 1)),
]


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_grades_own_documents_and_absent_ones(run: Any, tmp_path: Path) -> None:
    (tmp_path / "set" / "qrels").mkdir(parents=True)
    write_lines(tmp_path / "set" / "corpus.jsonl", CORPUS)
    write_lines(
        tmp_path / "set" / "queries.jsonl", [{"_id": n, "text": t} for n, t in QUERIES.items()]
    )
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in JUDGED)]
    (tmp_path / "set" / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    for words in (
        ["prepare", "set"],
        ["prepare-questions", "set"],
        ["build", "embeddings=null", "sparse=bm25s"],
        ["search", "questions=w/questions"],
        ["evaluate-retrieval", "top_k=[1,10]", "primary=ndcg_10", "trec=true"],
    ):
        done = run(*words, "workspace=w", cwd=tmp_path)
        assert done.code == 0, done.err
    report = json.loads((tmp_path / "w" / "report" / "report.json").read_text())
    values = {name: cell["value"] for name, cell in report["systems"]["bm25"].items()}
    # 86.0 of graded; 61.3 of train, whose own document is relevant and dropped; 61.3 of absent
    assert round(values["ndcg_10"], 3) == round((0.8597 + 0.6131 + 0.6131) / 3, 3)
    assert round(values["recall_10"], 3) == round((1 + 0.5 + 0.5) / 3, 3)
    assert any("not in the corpus: counted as not found" in note for note in report["notes"])
    counts = json.loads((tmp_path / "w" / "questions" / "manifest.json").read_text())["counts"]
    assert counts["skipped_query_without_relevant_passage"] == 1
    assert counts["queries_whose_own_relevant_document_is_dropped"] == 1
    qrels = (tmp_path / "w" / "report" / "trec" / "qrels.txt").read_text().splitlines()
    kept = [row for row in JUDGED if row[0] != "without"]
    assert sorted(qrels) == sorted(f"{query} 0 {name} {grade}" for query, name, grade in kept)
