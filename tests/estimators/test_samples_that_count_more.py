"""Sets, intervals, thresholds and tables of reports count samples by their weights, whatever class_weight says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genokeras as gk
from genokeras.engine.honest import honest_answers
from genokeras.engine.sample_importance import CLASS_FACTORS, importance_of
from genokeras.engine.thresholds import chosen_threshold
from genokeras.tasks.conformal import class_limits, row_weights

N = 80
SETTINGS: dict[str, Any] = {"max_trials": 2, "time_limit": None, "random_state": 0, "verbose": 0}
AIM = {"class": "ill", "sensitivity": 0.8}


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes, of which one gene tells; every other sample counts four times as much."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N, 8))
    y = np.where(x[:, 0] + rng.normal(size=N) > 0.4, "ill", "well")
    return x, y, np.where(np.arange(N) % 2, 0.5, 2.0)


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> gk.GenomeClassifier:
    x, y, weight = made()
    path = tmp_path_factory.mktemp("runs") / "weighted"
    return gk.GenomeClassifier(path, class_weight="balanced", **SETTINGS).fit(x, y, sample_weight=weight)


def test_samples_count_by_their_weights_without_those_of_their_classes(weighted: Any) -> None:
    run, (_, _, weight) = weighted._fitted(), made()
    found = importance_of(run)
    assert found == pytest.approx(weight / weight.mean())
    # Earlier versions did not keep how much each class counted.
    del run.folder.settings[CLASS_FACTORS]
    targets, found = run.rows.targets, importance_of(run)
    for code in (0, 1):
        assert found[targets == code] == pytest.approx(
            weight[targets == code] / weight[targets == code].mean()
        )


def test_samples_that_count_alike_have_no_weights_of_their_own(tmp_path: Path) -> None:
    x, y, _ = made()
    clf = gk.GenomeClassifier(tmp_path / "run", class_weight={"ill": 3}, **SETTINGS)
    assert importance_of(clf.fit(x, y, sample_weight=np.full(N, 2.0))._fitted()) is None


def test_sets_and_thresholds_count_samples_by_their_weights(weighted: Any) -> None:
    run, (x, _, weight) = weighted._fitted(), made()
    known = honest_answers(run)
    limits = class_limits(known.answers, known.targets, row_weights(N, None, weight), 0.8, by_class=False)
    p = weighted.predict_proba(x).astype("float64")
    np.testing.assert_array_equal(weighted.predict_set(x, 0.8), 1.0 - p <= limits)
    threshold = chosen_threshold(run, AIM)
    ill = known.targets == 0
    reached = np.average(known.answers[ill, 0] >= threshold.value, weights=weight[ill])
    assert reached >= 0.8
    assert threshold.value == pytest.approx(-_least(-known.answers[ill, 0], weight[ill]))


def _least(scores: np.ndarray, weight: np.ndarray) -> float:
    """The smallest score up to which four fifths of the weight are, with one more sample beside these."""
    total = weight * weight.sum() / (weight**2).sum()
    order = np.argsort(scores)
    return float(scores[order][np.cumsum(total[order]) >= 0.8 * (total.sum() + 1)][0])
