"""Every optimiser takes the same steps on TensorFlow, JAX and PyTorch, inside a compiled loop.

Each backend runs in a process of its own: ``python -m tests.training.test_optimizers_backends OUT.json``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genokeras.graph import mlp
from genokeras.training.optimizers import OPTIMIZERS, get_update, sampled_classes
from tests.training.optimizer_loop import badly_scaled, cross_entropy, trained

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BACKENDS = ("tensorflow", "jax", "torch")
Losses = dict[str, list[float]]


def losses() -> Losses:
    """What two members, each at its own rate, have come to after three steps under every optimiser."""
    x, targets = badly_scaled()
    common = (x, targets, mlp(3, (5,)), cross_entropy, sampled_classes, 3)
    return {name: trained(get_update(name), [0.01, 0.1], *common).tolist() for name in OPTIMIZERS}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Losses]:
    """The losses on every backend that is installed."""
    folder, by_backend = tmp_path_factory.mktemp("optimizers"), {}
    for backend in BACKENDS:
        if importlib.util.find_spec(backend) is None:
            continue
        path = folder / f"{backend}.json"
        command = [sys.executable, "-m", "tests.training.test_optimizers_backends", str(path)]
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        by_backend[backend] = json.loads(path.read_text())
    return by_backend


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_the_backends_agree(found: dict[str, Losses], name: str) -> None:
    first, *others = [by_name[name] for by_name in found.values()]
    assert np.isfinite(first).all()
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-3)


def test_optimisers_differ(found: dict[str, Losses]) -> None:
    by_name = next(iter(found.values()))
    # Adam and AdamW differ by their decay alone, and here nothing decays.
    distinct = {tuple(np.round(values, 6)) for name, values in by_name.items() if name != "adamw"}
    assert len(distinct) == len(OPTIMIZERS) - 1


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(losses()))
