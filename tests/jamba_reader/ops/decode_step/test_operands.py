"""The table of a decoding step: columns that do not collide, and the order of the buffers."""

import pytest
import torch

from jamba_reader.ops.decode_step import operands
from jamba_reader.ops.decode_step.operands import Buffers, kind_of
from jamba_reader.ops.machine.rows import BFLOAT16, FLOAT32, INT8

MAMBA = """IN IN_BIAS CONV CONV_BIAS X DT_NORM B_NORM C_NORM DT DT_BIAS DECAY SKIP OUT OUT_BIAS
STATE HISTORY NEW_STATE NEW_HISTORY"""
FEED_FORWARD = "GATE GATE_SCALE UP UP_SCALE DOWN DOWN_SCALE ROUTER WEIGHT_KIND"
JOB = """JOB PLACE MATRIX MATRIX_ROWS MATRIX_COLUMNS MATRIX_KIND MATRIX_SCALE BIAS
SOURCE SOURCE_STRIDE TARGET TARGET_STRIDE"""


@pytest.mark.parametrize("names", [MAMBA, "QUERY KEY VALUE", "WEIGHT", FEED_FORWARD])
def test_columns_of_a_part_follow_its_kind_and_its_norm(names: str) -> None:
    columns = [getattr(operands, name) for name in names.split()]
    assert (operands.PART, operands.NORM) == (0, 1)
    assert columns == list(range(2, 2 + len(columns)))
    assert columns[-1] < operands.COLUMNS


def test_a_mamba_part_fills_the_table() -> None:
    assert operands.NEW_HISTORY == operands.COLUMNS - 1


def test_a_matrix_is_followed_by_its_scales() -> None:
    for name in ("GATE", "UP", "DOWN"):
        assert getattr(operands, f"{name}_SCALE") == getattr(operands, name) + 1


def test_words_of_a_job_fill_its_memory() -> None:
    words = [getattr(operands, name) for name in JOB.split()]
    assert words == list(range(operands.JOB_WORDS))


def test_kinds_of_parts_and_jobs_are_told_apart() -> None:
    for names in (
        "MAMBA QUERY_KEY_VALUE ATTENTION_OUTPUT DENSE EXPERTS HEAD",
        "MULTIPLY ENTER SCAN OPEN_GATE EXPERT_GATE EXPERT_RETURN",
    ):
        numbers = [getattr(operands, name) for name in names.split()]
        assert len(set(numbers)) == len(numbers)


def test_dtypes_that_kernels_read() -> None:
    found = [kind_of(dtype) for dtype in (torch.float32, torch.bfloat16, torch.int8)]
    assert found == [FLOAT32, BFLOAT16, INT8]
    assert kind_of(torch.float16) is None
    assert kind_of(torch.float64) is None


def test_the_first_and_last_buffers_are_the_streams() -> None:
    """``Step.run`` gives addresses by place."""
    assert Buffers._fields[:2] == ("stream", "branch")
    assert Buffers._fields[-5:] == ("query", "key", "value", "mixed", "logits")
