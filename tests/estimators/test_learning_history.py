"""``history_``: the learning curves of a fitted classifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from genokeras import GenomeClassifier
from genokeras.engine import ensemble_out_of_fold
from genokeras.engine.store import TrialStore
from genokeras.errors import NotFittedError
from genokeras.tasks.objectives import OBJECTIVES


def test_every_trial_has_a_curve_and_keeps_one_step_of_it(fitted: GenomeClassifier) -> None:
    history = fitted.history_
    assert history["member"].nunique() == fitted.n_trials_
    assert (history.groupby("member")["kept"].sum() == 1).all()
    assert np.isfinite(history[["loss", "val_loss", "learning_rate"]].to_numpy()).all()
    assert history.groupby("member")["share"].first().sum() == pytest.approx(1)


def test_the_held_out_loss_of_the_kept_step_is_the_score(fitted: GenomeClassifier) -> None:
    kept = fitted.history_.query("kept")
    np.testing.assert_allclose(kept["val_loss"], kept["score"], rtol=0.02, atol=1e-3)


def test_a_loaded_classifier_has_the_same_history(fitted: GenomeClassifier) -> None:
    pd.testing.assert_frame_equal(GenomeClassifier.load(fitted.path_).history_, fitted.history_)


def test_a_clone_has_no_history(fitted: GenomeClassifier) -> None:
    assert len(fitted.history_)
    with pytest.raises(NotFittedError, match="not fitted"):
        _ = clone(fitted).history_


def test_out_of_fold_predictions_score_what_the_estimate_calls_uncorrected(fitted: GenomeClassifier) -> None:
    run = fitted._run
    codes, probabilities, fold, _ = ensemble_out_of_fold(TrialStore(run.folder), run.problem, run.delivery)
    value = OBJECTIVES["log_loss"].value(probabilities, codes)
    assert value == pytest.approx(fitted.estimate_["uncorrected"], rel=1e-4)
    assert np.bincount(fold).tolist() == [8] * 5
