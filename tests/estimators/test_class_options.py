"""Classes that count differently, have an order, or are separated by a threshold."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from genokeras import (
    DataError,
    GenomeClassifier,
    GenomeRegressor,
    ParameterError,
    TextClassifier,
    load_estimator,
)
from genokeras.estimators.class_options import class_factors, order_of
from genokeras.estimators.genes import TableEstimator
from genokeras.estimators.networks import NetworkEstimator
from genokeras.tasks.class_names import class_name
from genokeras.tasks.ordered import Ordered
from genokeras.tasks.task import Labelled
from genokeras.tasks.threshold import read_aim

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 4, "folds": 3, "random_state": 0, "verbose": 0}
AIM = {"class": "ill", "sensitivity": 0.9}


def rare(n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A fifth of the samples is ill, and not easy to find."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 0, "ill", "well")
    x = rng.normal(5, 1, size=(n, 30))
    x[y == "ill", :3] += 0.9
    return x, y


def graded(n: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grades 1 to 3 along one direction."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3 + 1
    x = rng.normal(5, 1, size=(n, 30))
    x[:, :3] += y[:, None]
    return x, y


@pytest.fixture(scope="module")
def weighted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    path = tmp_path_factory.mktemp("runs") / "weighted"
    return GenomeClassifier(path, class_weight="balanced", threshold=AIM, **QUICK).fit(*rare())


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = graded()
    grades = pd.Series(pd.Categorical(y, categories=[1, 2, 3], ordered=True))
    return GenomeClassifier(tmp_path_factory.mktemp("runs") / "graded", **QUICK).fit(x, grades)


def test_balanced_classes_have_the_same_total_weight(weighted: GenomeClassifier) -> None:
    weight = weighted._run.rows.sample_weight
    codes = weighted._run.rows.targets
    assert weight[codes == 0].sum() == pytest.approx(weight[codes == 1].sum())
    assert weighted.estimate_["chance"] == pytest.approx(np.log(2), abs=1e-3)


def test_an_answer_that_is_given_is_that_of_the_threshold(weighted: GenomeClassifier) -> None:
    x, _ = rare(400, 1)
    sets, decided, answers = (
        weighted.predict_set(x, 0.6),
        weighted.predict(x),
        weighted.predict(x, abstain=0.6),
    )
    named = np.array([answer is not None for answer in answers])
    assert (answers[named] == decided[named]).all() and (sets[named].sum(axis=1) == 1).all()
    # There are sets of the one class where the threshold says the other.
    one = sets.sum(axis=1) == 1
    against = one & (weighted.classes_[sets.argmax(axis=1)] != decided)
    assert against.any() and not named[against].any() and named.sum() == (one & ~against).sum()


def test_class_factors_are_those_given_beside_each_other() -> None:
    codes, names, ones = np.array([0, 1, 1, 1]), np.array([1, 2]), np.ones(4)
    assert class_factors({"2": 3}, codes, names, ones) == pytest.approx([0.4, 1.2])
    assert class_factors({"1": 7, "2": 7}, codes, names, ones).tolist() == [1, 1]
    assert class_factors("balanced", codes, names, ones) == pytest.approx([2, 2 / 3])
    with pytest.raises(ParameterError, match="class_weight must be 'balanced' or a mapping"):
        class_factors("equal", codes, names, ones)
    with pytest.raises(ParameterError, match="class_weight names the class '3', and there are 1, 2"):
        class_factors({3: 1.0}, codes, names, ones)
    with pytest.raises(ParameterError, match=r"class_weight\[1\] must be a number above 0"):
        class_factors({1: 0}, codes, names, ones)


def test_predict_goes_by_the_threshold_after_loading_too(weighted: GenomeClassifier, tmp_path: Path) -> None:
    loaded = load_estimator(weighted.path_)
    assert isinstance(loaded, GenomeClassifier)
    assert loaded.get_params()["threshold"] == AIM and loaded.class_weight == "balanced"
    assert loaded.threshold_ == weighted.threshold_ and loaded.threshold_ is not None
    x, y = rare(200, seed=1)
    p = loaded.predict_proba(x)[:, 0]
    called = loaded.predict(x)
    assert (called == "ill").tolist() == (p.astype("float64") >= loaded.threshold_["value"]).tolist()
    assert (called[y == "ill"] == "ill").mean() > 0.6
    scores = loaded.evaluate(x, y)
    assert scores["sensitivity"] == pytest.approx((called[y == "ill"] == "ill").mean())
    assert scores["specificity"] == pytest.approx((called[y == "well"] == "well").mean())
    assert loaded.score(x, y) == pytest.approx(np.mean(called == y))
    beside = loaded.export_keras_model(tmp_path / "model").with_suffix(".json")
    assert json.loads(beside.read_text())["threshold"] == loaded.threshold_
    low, high = loaded.threshold_["specificity_interval"]
    assert 0 <= low <= loaded.threshold_["specificity"] <= high <= 1


def test_a_threshold_that_too_few_samples_can_reach_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    aim = {"class": "ill", "sensitivity": 0.99}
    with pytest.raises(
        DataError, match="a sensitivity of 0.99 needs 99 samples of 'ill' or more, and there are 20"
    ):
        GenomeClassifier(tmp_path / "run", threshold=aim, **QUICK).fit(*rare())
    assert not (tmp_path / "run").exists()


def test_a_model_with_a_threshold_is_not_trained_on(weighted: GenomeClassifier) -> None:
    with pytest.raises(
        ParameterError, match=r"final_fit trains on all of them: call set_params\(threshold=None\) first"
    ):
        weighted.final_fit(*rare())


def test_an_ordered_categorical_makes_ordered_classes(ordered: GenomeClassifier) -> None:
    assert ordered.classes_.tolist() == [1, 2, 3]
    assert ordered.estimate_["metric"] == "ranked_probability_score"
    assert ordered.estimate_["also"]["quadratic_kappa"]["value"] > 0.3
    assert "The classes are ordered: 1 < 2 < 3." in ordered.notes_
    loaded = load_estimator(ordered.path_)
    x, y = graded(seed=1)
    assert list(loaded.evaluate(x, y)) == [
        "accuracy", "balanced_accuracy", "quadratic_kappa", "ranked_probability_score", "rank_error", "log_loss",
    ]  # fmt: skip
    assert loaded.evaluate(x, y)["quadratic_kappa"] > 0.3
    assert loaded.predict_set(x, 0.9).shape == (90, 3)


def test_ordered_classes_are_explained_exported_and_reported(
    ordered: GenomeClassifier, tmp_path: Path
) -> None:
    x, y = graded(seed=1)
    explanation = ordered.explain(x[:2])
    assert explanation.values.shape == (2, 30, 3)
    whole = explanation.base_values + explanation.values.sum(axis=1)
    assert whole == pytest.approx(ordered.predict_proba(x[:2]), abs=0.02)
    assert ordered.export_keras_model(tmp_path / "grades.keras").is_file()
    assert ordered.report(tmp_path / "report.html", x, y, explain=False).is_file()


@pytest.mark.parametrize("wrong", ["low", [1], {"low": 1}])
def test_an_order_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match="ordered must be all classes, the lowest first"):
        order_of(wrong, None, None)


def test_the_order_of_a_column_is_found() -> None:
    frame = pd.DataFrame({"grade": pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True)})
    assert order_of(None, frame, "grade") == ("b", "a")
    assert order_of(None, frame, "other") == () and order_of(None, None, [1, 2]) == ()


def test_estimators_are_cloned_with_what_they_were_told() -> None:
    given = GenomeClassifier(class_weight={"a": 2}, threshold=AIM, ordered=["a", "b"])
    assert clone(given).get_params() == given.get_params()
    with pytest.raises(TypeError, match="class_weight"):
        GenomeRegressor(class_weight="balanced")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("classifier", "base"), [(GenomeClassifier, TableEstimator), (TextClassifier, NetworkEstimator)]
)
def test_classifiers_take_all_that_estimators_of_their_samples_take(classifier: type, base: type) -> None:
    taken, shared = (inspect.signature(kind.__init__).parameters for kind in (classifier, base))  # type: ignore[misc]
    assert set(shared) <= set(taken)
    assert {name: taken[name].default for name in shared} == {name: shared[name].default for name in shared}


def test_a_threshold_counts_groups_before_anything_is_written(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 8))
    y = np.where(np.arange(60) % 2, "yes", "no")
    aim = {"class": "yes", "sensitivity": 0.95}
    clf = GenomeClassifier(tmp_path / "run", threshold=aim, **QUICK)
    with pytest.raises(
        DataError,
        match=r"needs 19 samples of 'yes' or more, and there are 30, which count as 10\.0 by their groups and weights",
    ):
        clf.fit(x, y, groups=np.arange(60) // 3)
    assert not (tmp_path / "run").exists()


def test_a_threshold_may_name_a_number_as_it_is_equal() -> None:
    assert read_aim({"class": 1, "sensitivity": 0.9}, ["0.0", "1.0"]).positive == 1
    assert read_aim({"class": True, "sensitivity": 0.9}, ["False", "True"]).positive == 1


@pytest.mark.parametrize(
    "y", [np.array([0.0, 1.0] * 10), np.array([False, True] * 10), np.array([0, 1] * 10)]
)
@pytest.mark.parametrize("names", [(0, 1), (0.0, 1.0), (False, True), ("0", "1"), (np.int64(0), np.int64(1))])
def test_classes_that_are_numbers_are_named_by_value(y: np.ndarray, names: tuple[Any, Any]) -> None:
    aim = Ordered.learn(Labelled(y, ("y",), tuple(map(str, range(20))), "y", order=names[::-1]))
    held = np.unique(y)
    assert aim.names.tolist() == held[::-1].tolist()
    factors = class_factors({names[1]: 3}, np.arange(20) % 2, held, np.ones(20))
    assert factors.tolist() == [0.5, 1.5]
    assert read_aim({"class": names[1], "sensitivity": 0.9}, [str(name) for name in held]).positive == 1


def test_a_class_goes_by_its_text_before_its_value() -> None:
    assert class_name("1", ["01", "1"]) == "1"
    assert class_name(1, ["01", "2"]) == "01"
    assert class_name("nan", ["1"]) == "nan"


def test_a_classifier_takes_classes_by_value() -> None:
    x, y = rare(40)
    asked: dict[str, Any] = QUICK | {"max_trials": 1}
    clf = GenomeClassifier(
        ordered=[0, 1], class_weight={1: 3}, threshold={"class": 1, "specificity": 0.8}, **asked
    )
    clf.fit(x, (y == "ill").astype("float64"))
    assert clf.threshold_ is not None and clf.threshold_["class"] == 1.0
