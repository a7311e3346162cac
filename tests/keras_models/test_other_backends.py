"""Search, run and range tests on JAX and PyTorch, in processes of their own, because Keras has one backend per process."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.keras_models.any_models import LISTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_search_run_and_range_tests_work_on_other_backends(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    out = tmp_path / "found.json"
    command = [sys.executable, "-m", "tests.keras_models.on_one_backend", str(out)]
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["backend"] == backend
    assert found["best"]["momentum"] in LISTS.momentum
    assert found["metrics"]["accuracy"] > 0.7
    assert found["shape"] == [60, 3]
    assert found["resumed"], "a training in two parts ended with other weights than one in one part"
    assert found["unchanged"], "a range test changed its model"
    assert 1e-5 < found["suggestion"] <= 1.0
    assert np.isfinite(found["finite"]).all()
