"""Search and run on JAX and PyTorch: each in a process of its own, because Keras settles on one when imported."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.keras_models.any_models import LISTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_search_and_run_work_alike(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    out = tmp_path / "found.json"
    command = [sys.executable, "-m", "tests.keras_models.any_models", "backend", str(out)]
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["backend"] == backend
    assert found["best"]["momentum"] in LISTS.momentum
    assert found["metrics"]["accuracy"] > 0.7
    assert found["shape"] == [60, 3]
    assert found["same"], "a training in two parts ended elsewhere than one in one"
