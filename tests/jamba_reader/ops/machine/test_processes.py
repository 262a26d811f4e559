"""Threads in a process of their own: the limit holds after the first kernel, and forks are refused.

Starting numba's threads sets OpenMP's number for the whole process, once, so that a test in this
process would measure what an earlier test has left.
"""

import json
import os
import subprocess
import sys
import textwrap

import pytest

CHILD = textwrap.dedent(
    """
    import json, os, signal, sys, threading
    from pathlib import Path
    import numba
    import torch
    from jamba_reader.config import JambaConfig
    from jamba_reader.model.model import JambaLanguageModel
    from jamba_reader.ops.segments import Segments

    def seconds():
        ticks = {}
        for thread in Path("/proc/self/task").iterdir():
            words = (thread / "stat").read_text().rpartition(")")[2].split()
            ticks[thread.name] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        return ticks

    def counts():
        return [torch.get_num_threads(), numba.get_num_threads()]

    if sys.argv[1] == "set":
        torch.set_num_threads(1)
    model = JambaLanguageModel(JambaConfig(
        vocab_size=300, hidden_size=256, intermediate_size=256, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, num_experts=4, attn_layer_period=3,
        attn_layer_offset=1, mamba_d_state=8,
    ))
    cache = model.eval().new_cache(20)
    model.prefill([list(range(100))] * 20, cache)
    first, before = counts(), seconds()
    for _ in range(60):
        model.step(torch.full((20,), 4), cache)
    spent = [now - before.get(name, 0.0) for name, now in seconds().items()]
    other = []
    thread = threading.Thread(
        target=lambda: (model.step(torch.full((20,), 4), cache), other.append(counts()))
    )
    thread.start()
    thread.join()
    # a fork has none of these threads
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        signal.alarm(20)
        errors = []
        for call in (
            lambda: model.step(torch.full((20,), 4), cache),
            lambda: model.prefill([[1]], model.new_cache(1)),
            lambda: model(torch.arange(200), Segments([200])),
        ):
            try:
                call()
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
        os.write(write, json.dumps(errors).encode())
        os._exit(0)
    os.close(write)
    errors = json.loads(b"".join(iter(lambda: os.read(read, 65536), b"")) or b"[]")
    os.waitpid(process, 0)
    print(json.dumps({
        "first": first, "last": counts(), "other": other, "spent": sorted(spent), "errors": errors,
    }))
    """
)


@pytest.mark.untraced
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads in /proc")  # noqa: PTH112
@pytest.mark.parametrize("limit", ["set", pytest.param("environment", marks=pytest.mark.slow)])
def test_one_thread_stays_one_thread_and_a_fork_is_refused(limit: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    if limit == "environment":
        environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, limit],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert found["first"] == found["last"] == found["other"][0] == [1, 1]
    # one thread has computed; others may have been started, and have done nothing
    assert sum(found["spent"][:-1]) <= 0.2 * found["spent"][-1]
    assert len(found["errors"]) == 3
    for error in found["errors"]:
        assert "ConfigError: process" in error
        assert "multiprocessing.get_context('spawn')" in error
