import json
from pathlib import Path

from spider.encoders.sentence_transformers_layout import write_layout


def test_modules_in_order_and_the_inner_product(tmp_path: Path) -> None:
    write_layout(tmp_path, [("StaticEmbedding", "0_X"), ("Normalize", "1_Y")])
    modules = json.loads((tmp_path / "modules.json").read_text())
    assert [(m["idx"], m["name"], m["path"], m["type"]) for m in modules] == [
        (0, "0", "0_X", "sentence_transformers.models.StaticEmbedding"),
        (1, "1", "1_Y", "sentence_transformers.models.Normalize"),
    ]
    settings = json.loads((tmp_path / "config_sentence_transformers.json").read_text())
    assert settings["similarity_fn_name"] == "dot"
    assert settings["prompts"] == {"query": "", "document": ""}
