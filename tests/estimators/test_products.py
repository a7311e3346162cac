"""Of a hundred samples or more with classes, what is delivered is a product of the trials, in every face of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras.searchers import GEOMETRIC, MEAN

N, P = 120, 12


def samples(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % 3
    x = rng.normal(size=(N, P)) + 0.9 * (np.arange(P) % 4 == codes[:, None])
    return x.astype("float32"), np.array(["high", "low", "mid"])[codes]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of three trials."""
    folder = tmp_path_factory.mktemp("products") / "run"
    options = {"time_limit": None, "max_trials": 3, "random_state": 0, "verbose": 0}
    clf = gk.GenomeClassifier(folder, folds=2, **options)
    clf.fit(*samples())
    assert clf._run.delivery.pooling == GEOMETRIC and len(clf._run.delivery.shares) > 1
    return folder


def test_the_model_answers_as_the_product_of_its_trials(run: Path) -> None:
    clf, (x, _) = gk.load_estimator(run), samples(1)
    found = clf.predict_proba(x)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    explanation = clf.explain(x[:20], num_samples=20, background=x[:50])
    np.testing.assert_allclose(explanation.outputs, found[:20], atol=1e-4)


def test_a_lost_model_is_made_again_as_it_was(run: Path, tmp_path: Path) -> None:
    clf, (x, _) = gk.load_estimator(run), samples(1)
    copy = clf.save(tmp_path / "copy")
    (Path(copy) / "best.keras").unlink()
    with pytest.warns(UserWarning, match="best.keras was made again"):
        again = gk.load_estimator(copy)
    np.testing.assert_allclose(again.predict_proba(x), clf.predict_proba(x), atol=1e-6)


def test_a_result_without_pooling_is_a_mean(run: Path, tmp_path: Path) -> None:
    copy = Path(gk.load_estimator(run).save(tmp_path / "copy"))
    content = json.loads((copy / "result.json").read_text())
    assert content.pop("pooling") == GEOMETRIC
    (copy / "result.json").write_text(json.dumps(content))
    assert gk.load_estimator(copy)._run.delivery.pooling == MEAN


def test_a_pooling_that_is_not_known_is_damage(run: Path, tmp_path: Path) -> None:
    copy = Path(gk.load_estimator(run).save(tmp_path / "copy"))
    content = json.loads((copy / "result.json").read_text())
    (copy / "result.json").write_text(json.dumps({**content, "pooling": "median"}))
    with pytest.warns(UserWarning, match="result.json is damaged"):
        again = gk.load_estimator(copy)
    assert again._run.delivery.pooling == GEOMETRIC


def test_the_report_says_what_kind_of_mean_it_is(run: Path, tmp_path: Path) -> None:
    path = gk.load_estimator(run).report(tmp_path / "r.html", explain=False)
    assert "the weighted geometric mean of" in path.read_text(encoding="utf-8")
