"""The small Jamba shapes that parity is checked on: every pair of values of any two settings.

``cases()`` is a greedy pairwise cover, in the manner of AETG (Cohen, Dalal, Fredman and Patton,
"The AETG system: an approach to testing based on combinatorial design", IEEE TSE 23(7), 1997)
but without chance: the same cases in the same order everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

Row = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]
Factors = Mapping[str, Sequence[Any]]

#: (layers, attention period, attention offset)
SCHEDULES = {
    "attention only": (3, 1, 0),
    "mamba only": (3, 8, 7),
    "attention first": (3, 3, 0),
    "attention last": (3, 3, 2),
    "attention twice": (4, 2, 1),
}
#: (expert period, expert offset)
ROUTED = {"all": (1, 0), "even": (2, 0), "odd": (2, 1), "third": (3, 2)}
#: (heads, key and value heads)
HEADS = {"one": (1, 1), "multi-query": (4, 1), "grouped": (4, 2), "own": (2, 2)}

FACTORS: dict[str, tuple[Any, ...]] = {
    "tokens": (1, 2, 3, 4, 5, 17, 64, 257),
    "schedule": tuple(SCHEDULES),
    "num_experts": (1, 2, 4, 16),
    "heads": tuple(HEADS),
    "routed": tuple(ROUTED),
    "mamba_d_state": (4, 8, 16, 32),
    "hidden_size": (20, 32, 48),
    "num_experts_per_tok": (1, 2, 3),
    "mamba_d_conv": (2, 3, 4),
    "mamba_expand": (1, 2, 3),
    "mamba_dt_rank": ("auto", 1, 7),
    "intermediate_size": (1, 37, 64),
    "hidden_act": ("silu", "gelu"),
    "mamba_conv_bias": (True, False),
    "mamba_proj_bias": (False, True),
    "tie_word_embeddings": (False, True),
    "rms_norm_eps": (1e-6, 1e-2),
    "vocab_size": (61, 96),
    "sequences": (1, 2),
}


def allowed(row: Row) -> bool:
    """Return whether a row, perhaps unfinished, can be a model; one expert means no router."""
    experts, chosen = row.get("num_experts", 16), row.get("num_experts_per_tok", 1)
    return bool(experts == 1 or chosen <= experts)


def idle(row: Row) -> set[str]:
    """Return the settings that do nothing in a row: one that is not used is not tried by it."""
    names: set[str] = set()
    if row.get("schedule") == "attention only":
        names |= {name for name in FACTORS if name.startswith("mamba_")}
    if row.get("schedule") == "mamba only":
        names.add("heads")
    if row.get("num_experts") == 1:
        names |= {"routed", "num_experts_per_tok"}
    return names


def cases() -> list[Row]:
    """Return the pairwise cover of ``FACTORS``."""
    return pairwise_cover(FACTORS, allowed, idle)


def config_values(case: Row) -> Row:
    """Return a case as the keys of ``config.json``, with ``"auto"`` unchanged."""
    layers, attention_period, attention_offset = SCHEDULES[case["schedule"]]
    expert_period, expert_offset = ROUTED[case["routed"]]
    heads, key_value_heads = HEADS[case["heads"]]
    derived = {"tokens", "sequences", "schedule", "routed", "heads"}
    return {
        **{name: value for name, value in case.items() if name not in derived},
        "num_hidden_layers": layers,
        "attn_layer_period": attention_period,
        "attn_layer_offset": attention_offset,
        "expert_layer_period": expert_period,
        "expert_layer_offset": expert_offset,
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
    }


def pairwise_cover(
    factors: Factors, valid: Callable[[Row], bool], unused: Callable[[Row], set[str]]
) -> list[Row]:
    """Return rows in which every valid pair of values of two factors occurs and is in use.

    Args:
        factors: the values of each factor.
        valid: whether a row, perhaps with some factors only, is allowed; every allowed pair must
            be a part of some allowed whole row.
        unused: the factors that do nothing in a row; their pairs are not covered by it, and a
            pair of which one makes the other idle is not asked for.
    """
    missing = dict.fromkeys(required_pairs(factors, valid, unused))
    rows: list[Row] = []
    while missing:
        row = _next_row(factors, valid, unused, missing, turn=len(rows))
        before = len(missing)
        for pair in pairs_of(row, unused):
            missing.pop(pair, None)
        if len(missing) == before:
            raise ValueError(f"no allowed row holds the pair {next(iter(missing))}")
        rows.append(row)
    return rows


def required_pairs(
    factors: Factors, valid: Callable[[Row], bool], unused: Callable[[Row], set[str]]
) -> list[Pair]:
    """Return the pairs that a cover must hold, in the order of the factors."""
    found = []
    for first, second in combinations(factors, 2):
        for a, b in product(factors[first], factors[second]):
            row = {first: a, second: b}
            if valid(row) and not unused(row) & row.keys():
                found.append(((first, a), (second, b)))
    return found


def pairs_of(row: Row, unused: Callable[[Row], set[str]]) -> list[Pair]:
    """Return the pairs that a row covers; its factors are in the order of ``FACTORS``."""
    names = [name for name in row if name not in unused(row)]
    return [
        ((first, row[first]), (second, row[second])) for first, second in combinations(names, 2)
    ]


def _next_row(
    factors: Factors,
    valid: Callable[[Row], bool],
    unused: Callable[[Row], set[str]],
    missing: Mapping[Pair, None],
    *,
    turn: int,
) -> Row:
    """Start with a missing pair; give each further factor the value that covers most of them."""
    chosen: Row = dict(next(iter(missing)))
    for name, values in factors.items():
        if name in chosen:
            continue
        best, most = None, -1
        for step in range(len(values)):
            value = values[(step + turn) % len(values)]
            candidate = {key: chosen.get(key, value) for key in factors if key in {*chosen, name}}
            if valid(candidate):
                gain = sum(pair in missing for pair in pairs_of(candidate, unused))
                if gain > most:
                    best, most = value, gain
        if most < 0:
            raise ValueError(f"no value of {name} is allowed beside {chosen}")
        chosen[name] = best
    return {name: chosen[name] for name in factors}
