"""Gradients computed in numpy are those of automatic differentiation in Keras, on TensorFlow, JAX and PyTorch.

Each backend runs in a process of its own, because Keras settles on one when imported.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.explain.gradients_on_one_backend import cases
from tests.processes import dumped_on

# A process for each backend, which compiles anew.
pytestmark = pytest.mark.slow

Dump = dict[str, np.ndarray]


@pytest.fixture(scope="module", params=("tensorflow", "jax", "torch"))
def dump(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """What ``gradients_on_one_backend.py`` wrote; skipped where the backend is not installed."""
    backend = str(request.param)
    found = dumped_on(backend, "tests.explain.gradients_on_one_backend", tmp_path_factory.mktemp("gradients"))
    assert found["backend"] == backend
    return found


def test_gene_values_are_those_of_automatic_differentiation(dump: Dump) -> None:
    wrong = dump["names"][dump["errors"][:, 1] > 2e-5]
    assert not len(wrong), wrong


def test_outputs_along_the_lines_are_those_of_keras(dump: Dump) -> None:
    wrong = dump["names"][dump["errors"][:, 0] > 2e-5]
    assert not len(wrong), wrong


def test_the_random_graphs_hold_every_kind_of_layer_and_activation() -> None:
    trials = [trial for case in cases() for trial in case.trials]
    kinds = {layer.spec.kind for trial in trials for layer in trial.graph.layers}
    assert kinds == {"input", "dense", "activation", "layer_norm", "dropout", "add", "concat"}
    assert {trial.activation for trial in trials} == {
        "relu",
        "tanh",
        "gelu",
        "silu",
        "selu",
        "sigmoid",
        "square",
        "linear",
    }
    assert max(len(trial.graph.layers) for trial in trials) > 15
    assert {len(trial.graph.inputs) for trial in trials} == {1, 2, 3, 4}


def test_the_cases_hold_several_targets_and_log_odds_of_several_classes() -> None:
    found = {(type(case.task).__name__, case.output, case.task.n_outputs) for case in cases()}
    assert {("Numbers", None, k) for k in (1, 2, 3, 4)} <= found
    assert {("Classes", "log_odds", k) for k in (2, 3, 4)} <= found
    assert {("Classes", "probability", k) for k in (3, 4)} <= found
