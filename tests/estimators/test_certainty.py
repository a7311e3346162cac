"""Sets of classes, intervals of numbers, answers left out, and samples that are novel; all from a run that was loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, GenomeRegressor, ParameterError, RunFolderError, load_estimator
from genokeras.cli import main
from genokeras.engine.novelty import novelty_table
from genokeras.estimators.certainty import Certainty
from genokeras.report.certainty import certainty_parts
from genokeras.report.data_checks import looked_at
from genokeras.report.given import given_dataset
from tests.estimators.conftest import make_study

Study = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def loaded(fitted: GenomeClassifier) -> GenomeClassifier:
    return GenomeClassifier.load(fitted.path_)


@pytest.fixture(scope="module")
def new(study: Study) -> Study:
    x, y = make_study(n=60, seed=1)
    return pd.DataFrame(x, columns=study[0].columns), y


@pytest.fixture(scope="module")
def regressor(tmp_path_factory: pytest.TempPathFactory) -> GenomeRegressor:
    x = np.random.default_rng(0).normal(8, 2, size=(60, 20))
    y = 60 * (x[:, 0] - x[:, 1]) + np.random.default_rng(1).normal(0, 20, 60)
    path = tmp_path_factory.mktemp("runs") / "numbers"
    return GenomeRegressor(path, time_limit=None, max_trials=4, folds=3, random_state=0, verbose=0).fit(x, y)


def test_sets_hold_the_true_class_about_as_often_as_was_asked_for(
    loaded: GenomeClassifier, new: Study
) -> None:
    x, y = new
    sets = loaded.predict_set(x, 0.8)
    assert sets.shape == (60, 2) and sets.dtype == bool
    true = sets[np.arange(60), np.searchsorted(loaded.classes_, y)]
    assert true.mean() > 0.65
    wider = loaded.predict_set(x, 0.95)
    assert (wider >= sets).all()


def test_answers_are_left_out_where_a_set_has_none_or_several(loaded: GenomeClassifier, new: Study) -> None:
    x, _ = new
    sets, answers = loaded.predict_set(x, 0.95), loaded.predict(x, abstain=0.95)
    assert [answer is None for answer in answers] == (sets.sum(axis=1) != 1).tolist()
    given = answers[sets.sum(axis=1) == 1].tolist()
    assert set(given) <= set(loaded.classes_)


def test_intervals_hold_the_true_number(regressor: GenomeRegressor) -> None:
    x = np.random.default_rng(2).normal(8, 2, size=(200, 20))
    y = 60 * (x[:, 0] - x[:, 1]) + np.random.default_rng(3).normal(0, 20, 200)
    ends = load_estimator(regressor.path_).predict_interval(x, 0.9)
    assert ends.shape == (200, 2)
    assert ends.mean(axis=1) == pytest.approx(regressor.predict(x))
    assert 0.8 < ((ends[:, 0] <= y) & (y <= ends[:, 1])).mean() <= 1.0


def test_samples_of_another_kind_are_novel(loaded: GenomeClassifier, new: Study) -> None:
    x, _ = new
    other = x.copy()
    other.iloc[:, 40:60] += 8
    assert loaded.novelty(other)["novel"].mean() > 0.9
    found = loaded.novelty(x)
    assert list(found.columns) == ["distance", "p_value", "novel"] and found["novel"].mean() < 0.2


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, "much"])
def test_a_coverage_that_is_no_share_is_refused(
    loaded: GenomeClassifier, regressor: GenomeRegressor, new: Study, coverage: object
) -> None:
    with pytest.raises(ParameterError, match="coverage must be a number above 0 and below 1, got"):
        loaded.predict_set(new[0], coverage)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="coverage must be a number above 0 and below 1, got"):
        regressor.predict_interval(np.ones((1, 20)), coverage)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="abstain must be a number above 0 and below 1, got"):
        loaded.predict(new[0], abstain=coverage)  # type: ignore[arg-type]


def test_a_rate_that_needs_more_samples_says_how_many(loaded: GenomeClassifier, new: Study) -> None:
    with pytest.raises(ParameterError, match=r"false_alarms=0.01 needs 99 samples|needs 99 training samples"):
        loaded.novelty(new[0], false_alarms=0.01)
    with pytest.raises(ParameterError, match="coverage=0.99 needs 99 samples or more"):
        loaded.predict_set(new[0], 0.99)


def test_a_run_without_what_novelty_is_measured_by_says_so(fitted: GenomeClassifier, tmp_path: Path) -> None:
    run = replace(fitted._run, folder=fitted._run.folder.copy_to(tmp_path / "old"))
    (run.folder.path / "novelty.npz").unlink()
    with pytest.raises(RunFolderError, match="does not hold what novelty is measured by"):
        novelty_table(run, np.ones((1, 120)), ["new"], 0.05)
    assert Certainty(run).sets(np.array([[0.99, 0.01]]), 0.9, by_class=False).tolist() == [[True, False]]


@pytest.mark.parametrize("later", ["final_fit", "fine_tuning"])
def test_a_model_that_was_trained_on_all_samples_has_no_sets(
    fitted: GenomeClassifier, tmp_path: Path, later: str
) -> None:
    folder = fitted._run.folder.copy_to(tmp_path / "later")
    folder.write_json("result.json", {**folder.read_json("result.json"), later: {}})
    with pytest.raises(ParameterError, match=f"{later} trained it on all of them"):
        Certainty(replace(fitted._run, folder=folder)).sets(np.ones((1, 2)) / 2, 0.9, by_class=False)


def test_a_report_says_how_often_the_model_is_sure(
    fitted: GenomeClassifier, regressor: GenomeRegressor, new: Study
) -> None:
    said = "".join(certainty_parts(fitted._run, looked_at(*given_dataset(fitted._run, *new))))
    assert "holds the true class for" in said and "are unlike all training samples" in said
    assert "holds the true number for" in "".join(certainty_parts(regressor._run, None))


def test_the_command_line_adds_sets_and_novelty(fitted: GenomeClassifier, new: Study, tmp_path: Path) -> None:
    x, _ = new
    x.to_csv(tmp_path / "new.csv", index_label="sample")
    call = ["predict", str(fitted.path_), str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.csv")]
    done = CliRunner().invoke(main, [*call, "--coverage", "0.9", "--abstain", "0.95", "--novelty"])
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found.columns) == ["sample", "prediction", "set", "novelty_p", "novel"]
    refused = CliRunner().invoke(main, [*call, "--by-class"])
    assert refused.exit_code == 2 and "--by-class is about sets of classes" in refused.output


def test_the_command_line_adds_intervals(regressor: GenomeRegressor, tmp_path: Path) -> None:
    x = pd.DataFrame(np.random.default_rng(2).normal(8, 2, size=(5, 20)))
    x.to_csv(tmp_path / "new.csv", index=False)
    call = ["predict", str(regressor.path_), str(tmp_path / "new.csv")]
    done = CliRunner().invoke(main, [*call, "--coverage", "0.8"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "sample,prediction,low,high"
    refused = CliRunner().invoke(main, [*call, "--abstain", "0.8"])
    assert refused.exit_code == 2 and "--abstain is for classes, and this run predicts none" in refused.output
