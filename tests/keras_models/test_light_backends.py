"""A training that is killed goes on to the same weights, on every backend; other backends than that of the tests in processes of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.keras_models.light_on_one_backend import main

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Found = dict[str, Any]


def run(backend: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": os.environ["XLA_FLAGS"] + " --xla_force_host_platform_device_count=2",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.keras_models.light_on_one_backend", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


SLOW = [pytest.param(backend, marks=pytest.mark.slow) for backend in ("jax", "torch")]


@pytest.fixture(scope="module", params=["tensorflow", *SLOW])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What a process says that went on where another one was killed, in the middle of the third epoch."""
    backend = str(request.param)
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folder = tmp_path_factory.mktemp(backend)
    assert run(backend, str(folder), "17").returncode == -signal.SIGKILL
    assert (folder / "best.keras.resume").exists()
    if backend == os.environ["KERAS_BACKEND"]:
        main(str(folder), None)
    else:
        done = run(backend, str(folder))
        assert done.returncode == 0, done.stderr
    found: Found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert found["backend"] == backend
    return found


def test_a_killed_training_goes_on_to_the_same_weights_bit_for_bit(found: Found) -> None:
    assert found["weights"]


def test_a_killed_training_goes_on_to_the_same_history(found: Found) -> None:
    assert found["history"]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_trains_and_leaves_the_net_in_its_own(found: Found, precision: str) -> None:
    assert np.isfinite(found[precision]).all()
    assert found[precision][-1] < found[precision][0]
    assert found[f"{precision} policies"] == ["float32"]


def test_several_devices_train_one_net(found: Found) -> None:
    if "devices" not in found:
        pytest.skip("Keras spreads models over devices with JAX only")
    assert found["devices"] == 2
    assert found["spread"][-1] < found["spread"][0]
