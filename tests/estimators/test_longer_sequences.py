"""Sequences that are longer than a model reads are cut to their middle, and a warning says which."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras.estimators.exported import load_exported

CUT = r"2 sequences are longer than the 80 letters that the model reads: the middle of each is read \(sample_1, sample_2\)"


def letters(lengths: list[int], seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), n)) for n in lengths]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> gk.SequenceClassifier:
    lengths = [80, *np.random.default_rng(1).integers(30, 80, 29).tolist()]
    how = {"max_trials": 1, "time_limit": None, "folds": 2, "random_state": 0, "verbose": 0}
    path = tmp_path_factory.mktemp("runs") / "run"
    return gk.SequenceClassifier(path, **how).fit(letters(lengths), np.arange(30) % 2)


NEW = letters([80, 81, 200], seed=2)


@pytest.mark.parametrize("what", ["predict", "predict_proba", "explain"])
def test_one_warning_names_the_sequences_that_are_cut(fitted: gk.SequenceClassifier, what: str) -> None:
    with pytest.warns(UserWarning, match=CUT) as caught:
        getattr(fitted, what)(NEW)
    assert [one.category for one in caught].count(UserWarning) == 1


def test_scores_and_reports_of_cut_sequences_warn_once(fitted: gk.SequenceClassifier, tmp_path: Path) -> None:
    for call in (
        lambda: fitted.evaluate(NEW, [0, 1, 0]),
        lambda: fitted.report(tmp_path / "report.html", NEW, [0, 1, 0]),
    ):
        with pytest.warns(UserWarning, match=CUT) as caught:
            call()
        assert [one.category for one in caught].count(UserWarning) == 1


def test_an_exported_model_warns_as_well(fitted: gk.SequenceClassifier, tmp_path: Path) -> None:
    model = load_exported(fitted.export_keras_model(tmp_path / "model.keras"))
    with pytest.warns(UserWarning, match=CUT):
        model.predict_proba(NEW)


def test_sequences_that_are_read_whole_raise_no_warning(fitted: gk.SequenceClassifier) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(NEW[:1])


def test_what_is_cut_is_answered_as_its_middle_is(fitted: gk.SequenceClassifier) -> None:
    with pytest.warns(UserWarning, match="1 sequence is longer"):
        found = fitted.predict_proba(NEW[2:])
    np.testing.assert_array_equal(found, fitted.predict_proba([NEW[2][60:140]]))


def test_longer_sequences_that_validate_a_fit_are_named(tmp_path: Path) -> None:
    how = {"max_trials": 1, "time_limit": None, "random_state": 0, "verbose": 0}
    clf = gk.SequenceClassifier(tmp_path / "run", **how)
    held = letters([80, 81, 200] * 4, seed=3), np.arange(12) % 2
    with pytest.warns(UserWarning, match="8 sequences are longer than the 80 letters"):
        clf.fit(letters([80, *range(30, 59)]), np.arange(30) % 2, validation_data=held)
