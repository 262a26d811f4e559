"""The verb generate: what it prints, and what it says to bad input."""

import gzip
import io
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.loading import save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.tokenization.vocabulary import save_vocabulary, train_vocabulary
from jamba_reader.verbs.generate import GenerateSettings, main
from spider.errors import CheckpointError, ConfigError, DataError

TEXTS = ["The heron is a grey bird.\nIt stands in the shallows.", "Größe – 東京 and a heron."]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    vocabulary = train_vocabulary(TEXTS, vocabulary_size=290)
    config = JambaConfig.from_mapping(
        {
            "model_type": "jamba",
            "vocab_size": vocabulary.get_vocab_size(),
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "num_experts": 2,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "mamba_d_state": 4,
            "mamba_dt_rank": 2,
        }
    )
    model = JambaLanguageModel(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and not name.endswith("A_log"):
                weight.normal_(std=0.2, generator=generator)
    save_model(model, path)
    save_vocabulary(vocabulary, path)
    for number, text in enumerate(TEXTS):
        (path / f"d{number}.txt").write_text(text, encoding="utf-8")
    return path


def settings(folder: Path, **changes: Any) -> GenerateSettings:
    values = {"prompt": "The heron", "model": str(folder), "device": "cpu", "max_new_tokens": 12}
    values |= changes
    names = {field.name for field in fields(GenerationSettings)} & values.keys()
    generation = GenerationSettings(**{name: values.pop(name) for name in names})
    return GenerateSettings(**values, generation=generation)


def test_text_is_printed_and_repeats_with_its_seed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for seed in (1, 1, 2):
        main(settings(folder, temperature=1.0, seed=seed, threads=torch.get_num_threads()))
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]
    assert printed[0].endswith("\n")


def test_quotes_are_printed_with_their_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (folder / "d0.txt", folder / "d1.txt")
    main(settings(folder, documents=files, fewest_characters=4, beams=2, samples=2))
    printed = capsys.readouterr().out
    places = re.findall(r"^  (.*):(\d+)-(\d+)(?:, \d+ times in all)?: (.*)$", printed, re.M)
    assert len(places) == 2
    for file, start, end, shown in places:
        text = Path(file).read_text(encoding="utf-8")[int(start) : int(end)]
        assert repr(text) == shown
        assert f"] {text}\n" in printed
    main(
        settings(folder, documents=(folder / "d?.txt",), opening="<", closing=">", temperature=2.0)
    )
    assert capsys.readouterr().out


def test_json_is_one_object_a_line_for_each_continuation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (folder / "d0.txt", folder / "d1.txt")
    main(settings(folder, documents=files, fewest_characters=4, beams=2, samples=2, json=True))
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(record["prompt"], record["sample"]) for record in records] == [
        ("The heron", 1),
        ("The heron", 2),
    ]
    for record in records:
        (quote,) = record["quotes"]
        text = Path(quote["file"]).read_text(encoding="utf-8")[quote["start"] : quote["end"]]
        assert quote["text"] == text == record["text"]


def test_prompts_are_read_from_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\ntwo\n"))
    main(
        settings(
            folder,
            prompt=None,
            stop=(
                "<|unk|>",
                "zzz",
            ),
            experts_int8=True,
        )
    )
    both = capsys.readouterr().out
    main(
        settings(
            folder,
            prompt="two",
            stop=(
                "<|unk|>",
                "zzz",
            ),
            experts_int8=True,
        )
    )
    assert both.endswith(capsys.readouterr().out)


def test_bad_input_is_one_line(folder: Path, tmp_path: Path) -> None:
    def refused(error: type[Exception], message: str, **changes: Any) -> None:
        with pytest.raises(error, match=message) as caught:
            main(settings(folder, **changes))
        assert "\n" not in str(caught.value)

    refused(ConfigError, "the prompt is empty", prompt=" ")
    refused(ConfigError, "give documents=FILE", opening="<q>")
    refused(ConfigError, "threads: got 0", threads=0)
    refused(ConfigError, "max_new_tokens: got 0", max_new_tokens=0)
    for device in ("tpu9", "meta", "mps"):
        refused(ConfigError, f"device={device}: expected", device=device)
    refused(ConfigError, "no such CUDA device", device="cuda:99")
    refused(ConfigError, "threads: got 100000, expected 1 to", threads=100_000)
    refused(ConfigError, "fewest_characters: got 0", fewest_characters=0)
    refused(ConfigError, "revision=v1: .* is a folder here", revision="v1")
    for penalty in (1e-300, 1e300, 0.0):
        refused(ConfigError, "repetition_penalty: got .*, expected", repetition_penalty=penalty)
    for power in (1e300, -1e300, float("nan")):
        refused(ConfigError, "length_penalty: got .*, expected", beams=2, length_penalty=power)
    refused(DataError, "no such file", documents=(folder / "none.txt",))
    refused(CheckpointError, "no such folder", model=str(tmp_path / "none"))
    (tmp_path / "latin.txt").write_bytes("Größe".encode("latin-1"))
    refused(DataError, "not UTF-8", documents=(tmp_path / "latin.txt",))
    (tmp_path / "empty.txt").write_text("")
    refused(DataError, "nothing to quote", documents=(tmp_path / "empty.txt",))
    (tmp_path / "torn.txt.gz").write_bytes(gzip.compress(b"a heron")[:-9])
    refused(DataError, r"torn\.txt\.gz: cannot be read", documents=(tmp_path / "torn.txt.gz",))
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in folder.glob("*.*"):
        if file.name != "tokenizer.json":
            (bare / file.name).write_bytes(file.read_bytes())
    refused(DataError, "no tokenizer here", model=str(bare))
    other = tmp_path / "bert"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    refused(CheckpointError, "another architecture", model=str(other))
