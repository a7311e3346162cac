"""ENAS projects: which optimizer trains the shared weights and the arcs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.enas import SupernetSettings
from genokeras.projects import load_training, read_config
from genokeras.projects.arc_optimizers import ArcOptimizer, arc_optimizer
from genokeras.projects.arcs import ArcNetwork, search_arcs, train_arcs
from genokeras.projects.config.fields import OPTIMIZERS
from genokeras.projects.rows import make_rows
from genokeras.training import TrainingSettings
from genokeras.training.optimizers.kfac import KfacUpdate

MakeProject = Callable[..., dict[str, Any]]
TRAINER = {
    "child_num_layers": 1,
    "max_search_channel": 40,
    "batch_size": 16,
    "max_number_of_epoches_in_search": 60,
    "max_number_of_epoches_in_fixed": 30,
}


def found(make_project: MakeProject, folder: Path, name: str) -> tuple[dict[str, Any], ArcNetwork]:
    """The result of a search, and the network of the first arc."""
    source = make_project()
    source = {key: source[key] for key in ("name", "model", "data_train")}
    source["model"] = {**source["model"], "type": "enas"}
    config = read_config({**source, "trainer": TRAINER, "optimizer": {"type": name}})
    data = load_training(config)
    rows = make_rows("classification", data, np.arange(30), np.arange(30, 40))
    state = search_arcs(config, rows)
    kept: list[ArcNetwork] = []
    best = train_arcs(config, rows, {"arcs": ["[2]"]}, kept.append)
    assert kept == [best]
    return state, best


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "sgd" else pytest.mark.slow) for name in OPTIMIZERS]
)
def test_every_optimizer_trains_shared_weights_and_arcs(
    make_project: MakeProject, tmp_path: Path, name: str
) -> None:
    state, best = found(make_project, tmp_path, name)
    assert max(state["accuracy"]) > 0.6
    assert best.accuracy > 0.6 and best.loss < 0.65
    assert best.rate in [rate * arc_optimizer(name).scale for rate in (1e-2, 3e-3, 1e-3)]


def test_adam_is_what_trains_by_default() -> None:
    adam, supernet = ArcOptimizer(), SupernetSettings()
    assert arc_optimizer("adam") == arc_optimizer("adamw") == adam
    assert adam.update == supernet.optimizer == TrainingSettings().optimizer
    assert (adam.scale, adam.decay) == (1.0, supernet.weight_decay)


def test_what_shared_weights_cannot_be_trained_by_trains_the_arcs_alone() -> None:
    assert isinstance(arc_optimizer("kfac").update, KfacUpdate)
    assert arc_optimizer("kfac", shared=True) == ArcOptimizer()
    assert arc_optimizer("sgd", shared=True) == arc_optimizer("sgd") != ArcOptimizer()
