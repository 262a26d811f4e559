"""Python API: build a retriever from texts or a folder, search it, and load Jamba checkpoints.

>>> from spider_odqa import Retriever
>>> texts = ["Herons stand in shallow water.", "The ferry leaves at nine.", "Bread needs salt."]
>>> with Retriever.from_texts(texts, titles=["Birds", "Harbour", "Kitchen"]) as retriever:
...     for hit in retriever.search("When does the ferry leave?", k=1):
...         print(hit.title, "|", hit.text)
Harbour | The ferry leaves at nine.
"""

from spider_odqa.shadowing import refuse_shadowed_packages

refuse_shadowed_packages()

from spider.progress import ProgressEvent  # noqa: E402 - the check comes before everything else
from spider.ranking import RankedPassage  # noqa: E402
from spider_odqa.language_models import load_model  # noqa: E402
from spider_odqa.retriever import Retriever  # noqa: E402

__all__ = ["ProgressEvent", "RankedPassage", "Retriever", "load_model"]
