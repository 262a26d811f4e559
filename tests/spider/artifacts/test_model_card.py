"""Model cards: what they say, what they leave out, and that they are no part of a content hash."""

from pathlib import Path

import pytest

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.model_card import CARD, ModelCard, corpus_facts, public_name
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError


def card(title: str = "A model") -> ModelCard:
    return ModelCard(
        title=title,
        summary="It ranks.",
        training="Trained on pairs.",
        corpus={"documents": 12345},
        settings={"rate": 0.000123456, "name": "a|b\nc", "lower case": True},
        measures={"recall": 0.7414529914529915},
        usage="model = load()\n",
        limits=["Small.", "Slow."],
    )


def test_the_whole_card() -> None:
    body, licence = card().to_markdown().split("## Licence\n\n")
    assert licence.startswith("No licence is attached")
    assert body == (
        "# A model\n\nIt ranks.\n"
        "\n## Training\n\nTrained on pairs.\n"
        "\n## Corpus\n\n| | |\n|---|---|\n| documents | 12,345 |\n"
        "\n## Settings\n\n| | |\n|---|---|\n| rate | 0.0001235 |\n| name | a\\|b c |\n"
        "| lower case | True |\n"
        "\n## Measures on held-out documents\n\n| | |\n|---|---|\n| recall | 0.7415 |\n"
        "\n## Use\n\n```python\nmodel = load()\n```\n"
        "\n## Limits\n\n- Small.\n- Slow.\n\n"
    )


def test_a_section_without_content_is_left_out() -> None:
    text = ModelCard(title="T", summary="S", training="None.", usage="load()").to_markdown()
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# T", "## Training", "## Use", "## Licence",
    ]  # fmt: skip


def model(folder: Path, title: str) -> Artifact:
    stage = Stage(verb="train", kind="encoder", output=folder, config={}, inputs={})
    with stage.writing() as partial:
        (partial / "weights").write_text("1 2 3")
        card(title).save(partial)
        return stage.finish(counts={}, unhashed=[CARD])


def test_a_card_is_listed_but_does_not_change_the_model(tmp_path: Path) -> None:
    one, two = model(tmp_path / "one", "One"), model(tmp_path / "two", "The second")
    assert one.content_hash == two.content_hash
    assert set(one.manifest["files"]) == {"weights", CARD}
    (tmp_path / "one" / CARD).unlink()
    with pytest.raises(ArtifactError, match=r"README\.md is missing"):
        open_artifact(tmp_path / "one")


def test_a_corpus_is_told_by_its_size_and_hash(make_corpus) -> None:
    corpus = make_corpus([("a", ["one two", "three"]), ("b", ["four"])])
    facts = corpus_facts(corpus.artifact)
    assert facts.pop("content hash") == corpus.artifact.content_hash
    assert facts["documents"] == 2
    assert facts["passages"] == 3
    assert str(corpus.path) not in str(corpus_facts(corpus.artifact))


def test_no_private_place_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret" / "model").mkdir(parents=True)
    for place in (str(tmp_path), "secret/model", "./secret", "~/secret", "a/b/c", "C:\\secret"):
        assert public_name(place) == "a local model"
    assert public_name("google/bert_uncased") == "google/bert_uncased"
    assert public_name("bert-base-uncased") == "bert-base-uncased"
    assert public_name("") == "none"
