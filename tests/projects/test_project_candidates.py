"""Networks tried and trained side by side: members apart from each other, rows held out apart from training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genokeras.projects import candidates as module
from genokeras.projects import load_training, read_config, split_rows
from genokeras.projects.candidates import Candidates
from genokeras.projects.config import ProjectConfig
from genokeras.projects.config.fields import OPTIMIZERS
from genokeras.projects.data import ProjectData
from genokeras.projects.rows import ProjectRows

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

TRAIN, VALIDATION = np.arange(30), np.arange(30, 40)
VALUES = {"n_latent": 8, "n_blocks": 1, "keep_prob": 1.0, "output_nonlinear": None, "learning_rate": 0.01}


def opened(source: Mapping[str, Any]) -> tuple[ProjectConfig, ProjectData]:
    config = read_config(source)
    assert isinstance(config, ProjectConfig)
    return config, load_training(config)


def ignore(steps: int, curves: np.ndarray) -> None:
    return None


def weights_after(config: ProjectConfig, data: ProjectData) -> list[np.ndarray]:
    """Weights of the exported network."""
    found = Candidates(config, data, TRAIN, VALIDATION).final({**VALUES, "keep_prob": 0.8}, 0.01, ignore)
    weights: list[np.ndarray] = found.model.get_weights()
    return weights


def test_a_candidate_scores_the_same_alone_and_beside_others(make_project):
    config, data = opened(make_project(trainer={"monitor": "loss", "selected_mode": "min"}))
    wanted = [{**VALUES, "keep_prob": share} for share in (0.5, 1.0, 0.8)]
    packed = Candidates(config, data, TRAIN, VALIDATION).tried(wanted, 3, rate_searched=True)
    alone = Candidates(config, data, TRAIN, VALIDATION).tried([VALUES], 3, rate_searched=True)
    assert packed[1].score == pytest.approx(alone[0].score, abs=1e-4)


def test_what_the_others_are_changes_nothing_for_a_candidate_with_dropout(make_project):
    config, data = opened(make_project(trainer={"monitor": "loss", "selected_mode": "min"}))
    candidates = Candidates(config, data, TRAIN, VALIDATION)
    scores = []
    for other, rate in [(0.5, 1e-2), (1.0, 10.0)]:
        wanted = [{**VALUES, "keep_prob": other, "learning_rate": rate}, {**VALUES, "keep_prob": 0.8}]
        scores.append(candidates.tried(wanted, 3, rate_searched=True)[1].score)
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_candidates_come_back_in_the_order_they_were_asked_for(make_project):
    config, data = opened(make_project(trainer={"monitor": "loss", "selected_mode": "min"}))
    wanted = [
        {**VALUES, "n_latent": n, "learning_rate": rate} for n, rate in [(4, 1e-2), (8, 1e-3), (4, 1e-3)]
    ]
    together = Candidates(config, data, TRAIN, VALIDATION).tried(wanted, 2, rate_searched=True)
    assert [found.learning_rate for found in together] == [1e-2, 1e-3, 1e-3]
    alone = Candidates(config, data, TRAIN, VALIDATION).tried(wanted[1:2], 2, rate_searched=True)
    assert together[1].score == pytest.approx(alone[0].score, abs=1e-4)


def test_a_range_test_and_the_training_behind_it_share_a_program(make_project):
    config, data = opened(make_project())
    candidates = Candidates(config, data, TRAIN, VALIDATION)
    candidates.tried([{**VALUES, "keep_prob": share} for share in (0.8, 1.0)], 3)
    assert candidates.trainer.compilations == 1
    candidates.tried([{**VALUES, "keep_prob": share} for share in (0.6, 0.7)], 3)
    assert candidates.trainer.compilations == 1
    candidates.tried([{**VALUES, "n_latent": n, "keep_prob": 0.8} for n in (4, 16)], 3)
    assert candidates.trainer.compilations == 3


def test_a_range_test_finds_a_rate_within_its_range(make_project):
    config, data = opened(make_project())
    found = Candidates(config, data, TRAIN, VALIDATION).tried([VALUES], 3)[0]
    assert found.learning_rate is not None
    assert module.FIRST_RATE < found.learning_rate <= module.LAST_RATE * 1.001
    assert len(found.curve) > 10


def test_rows_held_out_are_never_trained_on(make_project, monkeypatch):
    # One rate and one scoring, so that the rows held out have nothing to choose.
    monkeypatch.setattr(module, "FINAL_RATES", (1.0,))
    config, data = opened(make_project(trainer={"batch_size": 8, "max_steps": 4}))
    first = weights_after(config, data)
    x, y = data.x.copy(), np.asarray(data.y).copy()
    x[VALIDATION], y[VALIDATION] = x[VALIDATION] * -3 + 100, 1 - y[VALIDATION]
    second = weights_after(config, replace(data, x=x, y=y))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    x[TRAIN[0]] += 1
    third = weights_after(config, replace(data, x=x, y=y))
    assert any(not np.array_equal(one, other) for one, other in zip(first, third, strict=True))


def test_the_training_curve_does_not_depend_on_the_rows_held_out(make_project):
    config, data = opened(make_project(trainer={"monitor": "loss", "selected_mode": "min", "patience": 60}))

    def curve(data: ProjectData) -> list[np.ndarray]:
        taken: list[np.ndarray] = []
        candidates = Candidates(config, data, TRAIN, VALIDATION)
        candidates.final(VALUES, 0.01, lambda steps, curves: taken.append(curves[:, :, 0]))
        return taken

    y = np.asarray(data.y).copy()
    y[VALIDATION] = 1 - y[VALIDATION]
    np.testing.assert_array_equal(curve(data)[0], curve(replace(data, y=y))[0])


def test_the_best_of_three_rates_is_exported_and_is_what_it_was_scored_as(make_project, monkeypatch):
    monkeypatch.setattr(ProjectRows, "_calibration", lambda *_: None)  # behind the scoring
    config, data = opened(make_project(trainer={"monitor": "loss", "selected_mode": "min"}))
    found = Candidates(config, data, TRAIN, VALIDATION).final(VALUES, 0.03, ignore)
    assert found.rate in [0.03 * share for share in module.FINAL_RATES]
    held_out = found.model.predict(data.x[VALIDATION], verbose=0)
    loss = -np.log(held_out[np.arange(10), np.asarray(data.y)[VALIDATION]]).mean()
    best = found.curve[found.curve[:, 0] == found.best_step][0]
    assert loss == pytest.approx(best[2], rel=1e-3, abs=1e-5)
    assert best[3] == found.curve[:, 3].min()


def test_what_is_scored_behind_lost_patience_is_not_the_best(make_project):
    result = _Result(
        monitored=np.array([[0.5], [0.6], [0.4]]), best_step=np.array([5]), best_loss=np.array([0.5])
    )
    assert module._score(result, 0) == -0.5  # type: ignore[arg-type]


class _Result:
    curve_steps = np.array([5, 10, 15])

    def __init__(self, monitored: np.ndarray, best_step: np.ndarray, best_loss: np.ndarray) -> None:
        self.monitored, self.best_step, self.best_loss = monitored, best_step, best_loss


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains(make_project, name):
    config, data = opened(
        make_project(optimizer={"type": name}, trainer={"monitor": "loss", "selected_mode": "min"})
    )
    candidates = Candidates(config, data, *split_rows(data.y, 0.25, shuffle=True, seed=0))
    found = candidates.tried([VALUES], 5)[0]
    # In ten steps; zero weights score ln 2.
    assert found.score > -0.99 * np.log(2)


def test_densenet_and_resnet_are_different_networks(make_project):
    counts = []
    for model_type in ("ResNet", "DenseNet"):
        config, data = opened(make_project(model_type))
        found = Candidates(config, data, TRAIN, VALIDATION).final({**VALUES, "n_blocks": 2}, 0.01, ignore)
        counts.append(found.model.count_params())
    assert counts[0] != counts[1]
