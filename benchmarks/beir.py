"""BM25 on a data set of BEIR, and the agreement of every measure with trec_eval.

    python benchmarks/beir.py nfcorpus.zip

Runs the verbs of the command line in a scratch folder. Then ``ir_measures`` (the extra ``eval``)
scores the exported run, with the exported judgements and with those of the data set.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import ir_measures
from ir_measures import RR, R, Success, nDCG

from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.reading import read_json
from spider.sources.beir_files import open_beir_file
from spider.sources.text_files import read_lines

CUTS = (1, 5, 10, 100, 1000)
THEIRS = {"top": Success, "recall": R, "ndcg": nDCG}
STAGES = {
    "spider.verbs.prepare": ["source=beir"],
    "spider.verbs.prepare_questions": ["question_set=beir", "question_set.name=BEIR"],
    "index.verbs.build": ["embeddings=null", "spans=null", "sparse.analyzer=anserini"],
    "index.verbs.search": ["depth=1000"],
    "eval.verbs.evaluate_retrieval": ["top_k=[1,5,10,100,1000]", "primary=ndcg_10", "trec=true"],
}


def run_stages(data_set: Path, workspace: Path) -> None:
    """Run the verbs one after the other."""
    for module, settings in STAGES.items():
        words = [*settings, f"workspace={workspace}"]
        if module.startswith("spider.verbs"):
            words.insert(0, str(data_set))
        if module == "index.verbs.search":
            words += ["--questions", str(workspace / "questions")]
        subprocess.run([sys.executable, "-m", module, *words], check=True)


def main() -> None:
    """Measure, compare and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_set", type=Path)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/beir.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Path(scratch)
        run_stages(arguments.data_set, workspace)
        report = read_json(workspace / "report" / "report.json")
        exported = workspace / "report" / "trec"
        judgements = list(ir_measures.read_trec_qrels(str(exported / "qrels.txt")))
        run = list(ir_measures.read_trec_run(str(exported / "bm25.run")))
    measures = {f"{name}_{k}": theirs @ k for name, theirs in THEIRS.items() for k in CUTS}
    measures["mrr"] = RR
    scored = ir_measures.calc_aggregate(measures.values(), judgements, run)
    ours = {name: report["systems"]["bm25"][name]["value"] for name in measures}
    with open_beir_file(arguments.data_set, "qrels/test.tsv") as (stream, name):
        rows = [line.text.split("\t") for line in read_lines(stream, name)][1:]
    results = {
        "questions": report["question_set"]["questions"],
        "judgements": len(judgements),
        "grades": sorted({judged.relevance for judged in judgements}),
        "judgements_equal_the_data_set": sorted(map(tuple, rows))
        == sorted((one.query_id, one.doc_id, str(one.relevance)) for one in judgements),
        "bm25": {name: round(value, 6) for name, value in ours.items()},
        "largest_difference_from_trec_eval": max(
            abs(ours[name] - scored[measure]) for name, measure in measures.items()
        ),
        "arguments": [arguments.data_set.name],
        "provenance": provenance(),
    }
    write_json(arguments.output, results)
    print(results["bm25"], results["largest_difference_from_trec_eval"])


if __name__ == "__main__":
    main()
