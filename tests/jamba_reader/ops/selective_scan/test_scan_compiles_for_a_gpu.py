"""The compiler needs no GPU: that Triton's kernels are valid for one is seen on any machine."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton")

SCRIPT = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from jamba_reader.ops.selective_scan import triton_backward_kernel as backward_kernels
from jamba_reader.ops.selective_scan import triton_kernel as kernels

HALF = {"x", "dt", "B", "C", "D", "dt_bias", "gate", "y", "dy", "dx", "ddt", "dgate"}
NUMBERS = {"every", "channels", "states", "tokens"}


def compile_for_hopper(kernel, num_warps=4, **constants):
    signature = {}
    for name in kernel.arg_names:
        if name in constants:
            signature[name] = "constexpr"
        elif name in NUMBERS or name.endswith("_stride"):
            signature[name] = "i32"
        elif name in HALF:
            signature[name] = "*bf16"
        else:
            signature[name] = "*i64" if name in ("table", "first_chunks") else "*fp32"
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=places)
    target = GPUTarget("cuda", 90, 32)
    made = triton.compile(source, target=target, options={"num_warps": num_warps})
    assert made.asm["ptx"]


tile = {"BLOCK_D": 128, "BLOCK_N": 16}
paths = (
    dict(OUTPUT=False, FROM=0, TO=2, KEEP=0, SNAPSHOTS=False),
    dict(OUTPUT=True, FROM=2, TO=0, KEEP=16, SNAPSHOTS=True),
    dict(OUTPUT=True, FROM=1, TO=1, KEEP=0, SNAPSHOTS=False),
)
for path in paths:
    compile_for_hopper(kernels.scan_kernel, GATED=True, **path, **tile)
compile_for_hopper(kernels.carry_kernel, ENTERS=True, REVERSE=True, **tile)
compile_for_hopper(backward_kernels.reverse_ends_kernel, GATED=True, **tile)
compile_for_hopper(
    backward_kernels.reverse_kernel, num_warps=8, STATES=16, GATED=True, BLOCK_T=16, BLOCK_D=128
)
print("compiled")
"""


def test_kernels_compile_for_hopper(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.stdout.strip() == "compiled", done.stderr[-2000:]
