"""Search, run and range tests on JAX and PyTorch, in processes of their own, because Keras has one backend per process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.keras_models.any_models import LISTS
from tests.processes import run_on


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_search_run_and_range_tests_work_on_other_backends(backend: str, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    run_on(
        backend,
        "import sys, pathlib\n"
        "from tests.keras_models.on_one_backend import main\n"
        "main(pathlib.Path(sys.argv[1]))\n",
        out,
    )
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["backend"] == backend
    assert found["best"]["momentum"] in LISTS.momentum
    assert found["metrics"]["accuracy"] > 0.7
    assert found["shape"] == [60, 3]
    assert found["resumed"], "a training in two parts ended with other weights than one in one part"
    assert found["unchanged"], "a range test changed its model"
    assert 1e-5 < found["suggestion"] <= 1.0
    assert np.isfinite(found["finite"]).all()
