"""A run folder that keeps the weights of its best trials alone goes on working."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from tests.engine.tables import table

X, Y = table()
HOW = {
    "time_limit": None,
    "random_state": 0,
    "verbose": 0,
    "searcher_args": {"trainer_args": {"max_iter_num": 12}},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "run"
    clf = gk.GenomeClassifier(path, max_trials=8, keep="best", folds=2, **HOW)
    # Few trials have a share where few may be delivered.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("genokeras.engine.delivery_time.DeliveryTime.members", lambda *_: 1)
        clf.fit(X, Y)
    return path


def weights(path: Path) -> set[int]:
    return {int(file.parent.name) for file in path.glob("trials/*/weights.npz")}


def test_trials_without_a_share_lose_their_weights_and_nothing_else(path):
    clf = gk.load_estimator(path)
    board = clf.leaderboard()
    assert len(board) == 8 == clf.n_trials_
    delivered = set(board[board["share"] > 0]["model_id"])
    assert len(delivered) == 1 and delivered <= weights(path) and len(weights(path)) <= 4
    assert len(list(path.glob("trials/*/predictions.npz"))) == 8


def test_what_is_loaded_predicts_explains_and_exports(path, tmp_path):
    clf = gk.load_estimator(path)
    assert clf.predict_proba(X).shape == (len(X), 2)
    assert np.isfinite(clf.explain(X, num_samples=3).values).all()
    assert np.isfinite(clf.explain(X, num_samples=3, method="linear").values).all()
    assert clf.export_keras_model(tmp_path / "model.keras").exists()
    clf.save(tmp_path / "copy")
    assert gk.load_estimator(tmp_path / "copy").n_trials_ == 8


def test_a_trial_without_weights_cannot_be_loaded_and_the_error_says_why(path):
    clf = gk.load_estimator(path)
    gone = next(trial for trial in range(8) if trial not in weights(path))
    with pytest.raises(gk.RunFolderError, match='kept the weights of its best trials alone.*keep="all"'):
        clf.load_searcher().load_model_by_id(gone)


def test_the_model_is_made_again_and_the_run_goes_on(path, tmp_path):
    gk.load_estimator(path).save(tmp_path / "on")
    (tmp_path / "on" / "best.keras").unlink()
    with pytest.warns(UserWarning, match="best.keras was made again"):
        gk.load_estimator(tmp_path / "on")
    clf = gk.GenomeClassifier(tmp_path / "on", max_trials=11, keep="best", folds=2, resume=True, **HOW).fit(
        X, Y
    )
    assert clf.n_trials_ == 11
    delivered = clf.leaderboard().query("share > 0")["model_id"]
    assert set(delivered) <= weights(tmp_path / "on")


def test_what_is_to_be_kept_is_one_of_two_words(tmp_path):
    with pytest.raises(gk.ParameterError, match="keep"):
        gk.GenomeClassifier(tmp_path / "run", keep="some", **HOW, max_trials=1).fit(X, Y)
