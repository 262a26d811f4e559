"""The verb from a corpus to a reader, and training beside transformers from the same weights."""

import json
import logging
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.tokenization.vocabulary import load_vocabulary
from jamba_reader.training.language_model import LanguageModelTraining
from jamba_reader.training.objective import LanguageModelObjective
from jamba_reader.training.parameter_groups import make_adamw
from jamba_reader.training.token_streams import Chunk, LanguageModelBatch
from jamba_reader.verbs.train_language_model import TrainLanguageModelSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.stage import Stage
from spider.corpus.split import NOT_USABLE, TEST, TRAIN, VALIDATION, DocumentSplit, SplitRule
from spider.errors import ArtifactError, CheckpointError, ConfigError, DataError
from spider.training.settings import TrainingSettings

SHAPE = JambaConfig(
    hidden_size=8,
    intermediate_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    num_experts=2,
    attn_layer_period=2,
    attn_layer_offset=1,
    mamba_d_state=4,
    mamba_dt_rank=2,
    router_aux_loss_coef=0.01,
)


@pytest.fixture
def corpus(make_corpus):
    words = ["the", "cat", "sat", "on", "a", "mat", "while", "one", "dog", "ran", "home"]
    documents = [
        (f"Title {n}", [" ".join(words[(n * k) % 11] for k in range(20 + n))]) for n in range(12)
    ]
    return make_corpus(documents)


NOT_CONTENT = {"output", "spans", "start", "start_tokenizer", "given"}


def settings(corpus, output: Path, **changes) -> TrainLanguageModelSettings:
    values = {
        "corpus": corpus.path,
        "output": output,
        "reader_size": SHAPE,
        "vocabulary_size": 300,
        "batch_size": 2,
        "learning_rate": 2e-3,
        "chunk_tokens": 8,
        "chunks_per_step": 2,
        "attention_memory": 4,
        "validation_share": 0.1,
        "steps": 3,
        "log_every": 1,
        "validate_every": 2,
        "device": "cpu",
        **changes,
    }
    resolved = {name: str(value) for name, value in values.items() if name not in NOT_CONTENT}
    nested = {"training": TrainingSettings, "split": SplitRule}
    for name, cls in nested.items():
        keys = {field.name for field in fields(cls)} & values.keys()
        values[name] = cls(**{key: values.pop(key) for key in keys})
    return TrainLanguageModelSettings(**values, resolved=resolved)


def test_the_verb_writes_what_transformers_opens(corpus, tmp_path, caplog) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    output = tmp_path / "reader"
    main(settings(corpus, output))
    artifact = open_artifact(output, kind="reader")
    assert artifact.counts["steps"] == 3
    assert artifact.counts["documents"] == 9
    assert artifact.counts["heldout_documents"] == 1
    assert artifact.counts["test_documents"] == 2
    card = (output / "README.md").read_text()
    assert "README.md" in artifact.manifest["files"]
    assert corpus.artifact.content_hash in card
    assert str(tmp_path) not in card
    validation = artifact.details["training"]["validation"]
    assert set(validation) == {"loss", "perplexity", "bits_per_byte"}
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["split"]) for line in lines] == [
        (0, "validation"), (1, "train"), (2, "train"), (2, "validation"), (3, "train"),
        (3, "validation"),
    ]  # fmt: skip
    assert sorted(path.name for path in output.iterdir() if path.is_dir()) in ([], ["tensorboard"])

    ids = AutoTokenizer.from_pretrained(output)("the cat sat")["input_ids"]
    assert ids == load_vocabulary(output).encode("the cat sat").ids
    theirs = AutoModelForCausalLM.from_pretrained(output, dtype="float32")
    ours = load_model(output)
    with torch.no_grad():
        expected = theirs(torch.tensor([ids])).logits[0]
        got = ours(torch.tensor(ids), Segments([len(ids)]), rows=torch.arange(len(ids))).logits
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)

    with caplog.at_level(logging.INFO):
        main(settings(corpus, output))
    assert "up to date" in caplog.text
    # it is where another run can begin
    main(settings(corpus, tmp_path / "later", start=str(output), vocabulary_size=270, steps=0))
    names = ("reader/tokenizer.json", "later/tokenizer.json")
    assert len({(tmp_path / name).read_bytes() for name in names}) == 1
    later = load_model(tmp_path / "later").state_dict()
    for name, weight in ours.state_dict().items():
        assert torch.equal(later[name], weight), name


def test_documents_that_the_retriever_holds_out_are_held_out(corpus, tmp_path) -> None:
    parts = np.array([TEST, TEST, VALIDATION, NOT_USABLE, *[TRAIN] * 8], dtype=np.uint8)
    inputs = {"corpus": corpus.artifact}
    stage = Stage(verb="mine", kind="spans", output=tmp_path / "spans", config={}, inputs=inputs)
    with stage.writing() as folder:
        DocumentSplit(parts).save(folder)
        stage.finish(counts={})
    main(settings(corpus, tmp_path / "reader", spans=tmp_path / "spans", steps=1))
    counts = open_artifact(tmp_path / "reader").counts
    names = ("documents", "heldout_documents", "test_documents")
    assert [counts[name] for name in names] == [9, 1, 2]
    # the workspace's spans need not be there, but those that a person names do
    main(settings(corpus, tmp_path / "without", spans=tmp_path / "none", steps=0))
    with pytest.raises(ArtifactError, match="none: no such spans artifact"):
        main(settings(corpus, tmp_path / "x", spans=tmp_path / "none", given=("spans",)))


def test_the_reader_reads_no_test_document(corpus, tmp_path) -> None:
    """The same reader, bit by bit, whatever the test documents say."""
    split = DocumentSplit(np.array([TEST, TEST, VALIDATION, *[TRAIN] * 9], dtype=np.uint8))

    class Changed(type(corpus)):
        def document(self, number):
            document = super().document(number)
            return replace(document, text="xylophone " * 30) if number < 2 else document

    written = []
    for number, source in enumerate((corpus, Changed(corpus.artifact))):
        folder = tmp_path / str(number)
        folder.mkdir()
        changes = {"steps": 2, "learning_rate": 1e-3, "validation_tokens": 1000}
        training = LanguageModelTraining(settings(corpus, folder, **changes))
        training.run(source, folder, split=split)
        written.append((folder / "model.safetensors").read_bytes())
        written.append((folder / "tokenizer.json").read_bytes())
    assert written[:2] == written[2:]


def test_bad_settings_are_one_line(corpus, tmp_path, monkeypatch) -> None:
    with pytest.raises(DataError, match="lower batch_size"):
        main(settings(corpus, tmp_path / "long", chunk_tokens=4000))
    with pytest.raises(ConfigError, match="batch_size: got 0, expected at least 1"):
        main(settings(corpus, tmp_path / "lanes", batch_size=0))
    for name, value in (
        ("attention_memory", -1), ("validation_tokens", -1), ("learning_rate", float("nan")),
        ("learning_rate", -1.0), ("weight_decay", -0.1), ("beta2", 1.0), ("beta2", float("nan")),
        ("vocabulary_size", 259), ("vocabulary_size", 10**15),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=f"{name}.* expected"):
            main(settings(corpus, tmp_path / "lanes", **{name: value}))
    other = tmp_path / "bert"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="another architecture"):
        main(settings(corpus, tmp_path / "start", start=str(other)))
    with pytest.raises(CheckpointError, match="no such folder"):
        main(settings(corpus, tmp_path / "start", start=str(tmp_path / "none")))
    assert not (tmp_path / "lanes.partial").exists()
    assert not (tmp_path / "start.partial").exists()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process"):
        main(settings(corpus, tmp_path / "two"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_start_that_is_no_numbers_is_refused_before_the_first_step(
    corpus, tmp_path, value
) -> None:
    main(settings(corpus, tmp_path / "first", steps=0))
    model = load_model(tmp_path / "first")
    with torch.no_grad():
        model.model.layers[0].mamba.dt_proj.weight[1, 1] = value
    save_model(model, tmp_path / "damaged")
    (tmp_path / "first" / "tokenizer.json").rename(tmp_path / "damaged" / "tokenizer.json")
    with pytest.raises(
        CheckpointError, match=r"damaged: model\.layers\.0\.mamba\.dt_proj\.weight has"
    ):
        main(settings(corpus, tmp_path / "reader", start=str(tmp_path / "damaged")))
    assert not list(tmp_path.glob("reader.partial/metrics.jsonl"))


@pytest.mark.parametrize("name", ["reader_size", "mamba_time_steps", "vocabulary_size"])
def test_settings_of_a_new_model_are_refused_beside_start(corpus, tmp_path, name) -> None:
    with pytest.raises(
        ConfigError, match=rf"{name} applies to a new .*start=elsewhere brings its own"
    ):
        main(settings(corpus, tmp_path / "reader", start="elsewhere", given=(name,)))
    with pytest.raises(CheckpointError, match="no such folder"):
        main(
            settings(
                corpus, tmp_path / "reader", start="elsewhere", given=("training", "batch_size")
            )
        )


def test_vocabulary_settings_are_refused_beside_a_tokenizer(corpus, tmp_path) -> None:
    with pytest.raises(ConfigError, match="start_tokenizer=elsewhere brings its own"):
        main(
            settings(
                corpus, tmp_path / "x", start_tokenizer="elsewhere", given=("vocabulary_size",)
            )
        )
    with pytest.raises(DataError, match="no tokenizer"):
        main(settings(corpus, tmp_path / "x", start_tokenizer="elsewhere", given=("reader_size",)))


def test_ten_steps_follow_transformers() -> None:
    """The losses and every weight stay together; benchmarks/jamba/training.py takes 50 steps."""
    from transformers import JambaConfig as TheirConfig
    from transformers import JambaForCausalLM

    ours = JambaLanguageModel(
        JambaConfig(
            vocab_size=17,
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            num_experts=3,
            attn_layer_period=2,
            attn_layer_offset=1,
            mamba_d_state=4,
            mamba_dt_rank=2,
            initializer_range=0.3,
            router_aux_loss_coef=0.1,
        )
    )
    initialise(ours, torch.Generator().manual_seed(0))
    theirs = JambaForCausalLM(
        TheirConfig(**{**ours.config.to_mapping(), "output_router_logits": True})
    )
    theirs.load_state_dict(ours.state_dict())
    theirs.train()
    objective = LanguageModelObjective(ours.train(), batch_size=2, attention_memory=0)
    optimizers = [
        make_adamw(model, learning_rate=0.02, weight_decay=0.1, beta2=0.95)
        for model in (ours, theirs)
    ]
    generator = torch.Generator().manual_seed(1)
    first_loss = None
    for step in range(10):
        rows = torch.randint(0, 17, (2, 10), generator=generator)
        inputs, targets = rows[:, :-1], rows[:, 1:]
        chunk = Chunk(inputs.flatten(), targets.flatten(), (9, 9), (0, 1), (False, False))
        loss = objective(LanguageModelBatch((chunk,))).loss
        expected = theirs(inputs, labels=targets, shift_labels=targets.contiguous()).loss
        assert loss.item() == pytest.approx(expected.item(), abs=1e-4), step
        loss.backward()
        expected.backward()
        if step == 0:
            first_loss = loss.item()
            others = dict(theirs.named_parameters())
            for name, parameter in ours.named_parameters():
                assert parameter.grad is not None, name
                torch.testing.assert_close(
                    parameter.grad, others[name].grad, atol=1e-6, rtol=1e-4, msg=name
                )
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    assert first_loss is not None
    assert loss.item() != pytest.approx(first_loss, abs=0.05)
