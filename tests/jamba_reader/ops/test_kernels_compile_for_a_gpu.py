"""The compiler needs no GPU: that Triton's kernels are valid for one is seen on any machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

SCRIPT = Path(__file__).with_name("compiled_for_hopper.py")
KERNELS = """
    attend_kernel merge_kernel differentiate_kernel forward_kernel backward_kernel scan_kernel
    carry_kernel reverse_ends_kernel reverse_kernel gate_up_kernel product_kernel combine_kernel
    gate_backward_kernel weight_gradient_kernel
"""


@pytest.mark.slow
@pytest.mark.untraced
def test_kernels_compile_and_fit_into_shared_memory(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(tmp_path)
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    compiled = [line.split() for line in done.stdout.splitlines()]
    assert {name for name, _, _ in compiled} == set(KERNELS.split())
    assert [line for line in compiled if int(line[1]) > int(line[2])] == []
