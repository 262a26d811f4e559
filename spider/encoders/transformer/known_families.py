"""Published encoders that need prompts, which older folders of them do not state."""

import logging
import re
from typing import NamedTuple

from spider.encoders.transformer.recipe import VectorRecipe

logger = logging.getLogger(__name__)


class Family(NamedTuple):
    """What a family of encoders was trained with.

    Attributes:
        pattern: matches the names of its checkpoints, in lower case.
        pooling: how it pools; all of these compare by cosine.
        question: the prompt of questions.
        passage: the prompt of passages.
    """

    pattern: str
    pooling: str
    question: str
    passage: str = ""


RETRIEVE = "Represent this sentence for searching relevant passages: "
FAMILIES = (
    Family(r"\be5-(small|base|large)|multilingual-e5", "mean", "query: ", "passage: "),
    Family(r"\bbge-(micro|small|base|large)-(en|zh)", "cls", RETRIEVE),
    Family(r"nomic-embed-text", "mean", "search_query: ", "search_document: "),
    Family(r"modernbert-embed", "mean", "search_query: ", "search_document: "),
    Family(r"snowflake-arctic-embed-(xs|s|m|l)\b(?!-v2)", "cls", RETRIEVE),
    Family(r"mxbai-embed", "cls", RETRIEVE),
)


def warn_of_missing_prompts(
    names: tuple[str, ...], recipe: VectorRecipe, *, given: bool, states: bool
) -> None:
    """Say in one line how to give the prompts of a known checkpoint that has none.

    Args:
        names: the names of the checkpoint: as a person typed it, and as its files state it.
        recipe: its recipe.
        given: whether the settings give a prompt, an empty one included.
        states: whether the files or the settings say how it pools.
    """
    if given or recipe.question_prompt or recipe.passage_prompt:
        return
    for family in FAMILIES:
        for name in names:
            if re.search(family.pattern, name.lower()):
                logger.warning("%s", _line(name, family, states=states))
                return


def _line(name: str, family: Family, *, states: bool) -> str:
    prompts = [f"""'architecture.question_prompt="{family.question}"'"""]
    if family.passage:
        prompts.append(f"""'architecture.passage_prompt="{family.passage}"'""")
    pooling = (
        "" if states else f" architecture.pooling={family.pooling} architecture.normalize=true"
    )
    return (
        f"{name} was trained with prompts, and its folder states none; give "
        f"{' '.join(prompts)}{pooling}, or architecture.question_prompt='' if it needs none"
    )
