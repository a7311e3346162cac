"""Pictures of a fitted estimator on Matplotlib axes: out of fold, or of samples that are given."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from sklearn.metrics import confusion_matrix, roc_auc_score

from genokeras import GenomeClassifier, GenomeRegressor, GenomeSurvival
from genokeras.errors import NotFittedError, ParameterError
from tests.estimators.conftest import make_study

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 3, "folds": 3, "random_state": 0, "verbose": 0}
GENES = [f"GENE{i}" for i in range(12)]
OF_CLASSES = ["plot_confusion", "plot_roc", "plot_precision_recall", "plot_calibration"]


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted() -> GenomeClassifier:
    x, y = make_study(p=24)
    return GenomeClassifier(**QUICK).fit(pd.DataFrame(x, columns=[f"GENE{i}" for i in range(24)]), y)


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).normal(8, 2, size=(48, 12)), columns=GENES)


@pytest.fixture(scope="module")
def regressor(numbers: pd.DataFrame) -> GenomeRegressor:
    y = pd.DataFrame({"age": numbers["GENE0"] * 9, "$x$": numbers["GENE1"]})
    return GenomeRegressor(**QUICK).fit(numbers, y)


@pytest.fixture(scope="module")
def survival(numbers: pd.DataFrame) -> GenomeSurvival:
    rng = np.random.default_rng(1)
    days = 100 * rng.exponential(np.exp(numbers["GENE0"] - 8)) + 0.5
    table = numbers.assign(days=days, dead=(rng.random(48) < 0.7).astype(int))
    return GenomeSurvival(**QUICK).fit(table, time="days", event="dead")


def texts(axes: Axes) -> str:
    return " ".join([axes.get_title("left") or axes.get_title(), axes.get_xlabel(), axes.get_ylabel()])


# ---- classes


@pytest.mark.parametrize("plot", OF_CLASSES)
def test_pictures_are_out_of_fold_and_can_go_on_axes_of_ones_own(fitted: GenomeClassifier, plot: str) -> None:
    axes = plt.subplots()[1]
    assert getattr(fitted, plot)(ax=axes) is axes and "out of fold" in texts(axes)
    assert plt.get_fignums() == [1]


@pytest.mark.parametrize("plot", [*OF_CLASSES, "plot_search", "plot_genes"])
def test_a_new_figure_is_one_of_pyplot_which_notebooks_show(fitted: GenomeClassifier, plot: str) -> None:
    axes = getattr(fitted, plot)()
    assert isinstance(axes, Axes) and plt.gcf() is axes.figure


def test_the_confusion_of_given_samples_has_truth_on_y(fitted: GenomeClassifier) -> None:
    x, y = make_study(n=30, p=24, seed=5)
    y[:6] = "tumor"  # three wrong ones
    axes = fitted.plot_confusion(pd.DataFrame(x, columns=fitted.feature_names_in_), y)
    drawn = [[int(text.get_text()) for text in axes.texts[row : row + 2]] for row in (0, 2)]
    expected = confusion_matrix(y, fitted.predict(pd.DataFrame(x, columns=fitted.feature_names_in_)))
    assert drawn == expected.tolist() and expected[1, 0] >= 3
    assert axes.get_ylabel() == "true" and "out of fold" not in texts(axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["healthy", "tumor"]


def test_shares_take_the_place_of_counts_where_asked(fitted: GenomeClassifier) -> None:
    shares = [float(text.get_text()) for text in fitted.plot_confusion(normalize="true").texts]
    assert sum(shares[:2]) == pytest.approx(1) and sum(shares[2:]) == pytest.approx(1)
    with pytest.raises(ParameterError, match="normalize.*true"):
        fitted.plot_confusion(normalize="rows")


def test_the_confusion_goes_by_the_threshold(fitted: GenomeClassifier) -> None:
    cautious = GenomeClassifier.load(fitted.path_).set_params(
        threshold={"class": "tumor", "specificity": 0.5}
    )
    decided = cautious.plot_confusion()
    assert int(decided.texts[1].get_text()) > int(fitted.plot_confusion().texts[1].get_text())


def test_the_curve_says_the_area_that_scikit_learn_finds(fitted: GenomeClassifier) -> None:
    x, y = make_study(n=30, p=24, seed=6)
    x[:, :8] += np.random.default_rng(0).normal(0, 6, size=(30, 8))
    axes = fitted.plot_roc(x, y)
    area = roc_auc_score(y == "tumor", fitted.predict_proba(x)[:, 1])
    assert f"tumor: AUC {area:.3f}" in [text.get_text() for text in axes.get_legend().get_texts()]
    assert "healthy" in fitted.plot_roc(positive="healthy").get_legend().get_texts()[0].get_text()


def test_what_is_no_class_and_what_are_no_axes_is_said(fitted: GenomeClassifier) -> None:
    with pytest.raises(ParameterError, match="positive.*healthy"):
        fitted.plot_roc(positive="heathy")
    with pytest.raises(ParameterError, match=r"ax must be Matplotlib axes.*Figure"):
        fitted.plot_roc(ax=plt.figure())
    with pytest.raises(ParameterError, match="bins must be"):
        fitted.plot_calibration(bins=1)


def test_an_estimator_that_is_not_fitted_draws_nothing() -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        GenomeClassifier().plot_roc()
    assert not plt.get_fignums()


# ---- genes and the search


def test_genes_of_an_explanation_are_drawn_without_explaining_again(fitted: GenomeClassifier) -> None:
    x, _ = make_study(n=12, p=24, seed=7)
    found = fitted.explain(x)
    axes = fitted.plot_genes(found, top=5, plot_type="bar")
    first = [found.feature_names[i] for i in found.order("tumor")[:5]]
    assert [label.get_text() for label in axes.get_yticklabels()] == first
    assert "tumor" in axes.get_title("left") and "healthy" in texts(fitted.plot_genes(found, "healthy"))
    with pytest.raises(ParameterError, match="healty"):
        fitted.plot_genes(found, "healty")


def test_several_targets_are_drawn_together_unless_one_is_named(regressor: GenomeRegressor) -> None:
    assert "GENE0" in texts(regressor.plot_genes()) + str(
        [label.get_text() for label in regressor.plot_genes(output="age").get_yticklabels()]
    )


def test_the_search_has_a_point_for_every_trial(fitted: GenomeClassifier) -> None:
    axes = fitted.plot_search()
    points = sum(len(found.get_offsets()) for found in axes.collections)
    assert points == len(fitted.leaderboard().query("status == 'ok'")) and axes.get_legend()


# ---- numbers and survival


def test_a_regressor_draws_its_numbers_and_names_with_dollars(
    regressor: GenomeRegressor, numbers: pd.DataFrame
) -> None:
    assert texts(regressor.plot_predicted()).startswith("age: R2")
    axes = regressor.plot_residuals(target="$x$")
    assert "predicted $x$" in texts(axes) and "out of fold" in texts(axes)
    assert not axes.xaxis.label.get_parse_math()
    y = np.stack([numbers["GENE0"] * 9, numbers["GENE1"]], axis=1)
    given = regressor.plot_predicted(numbers, y)
    np.testing.assert_allclose(given.collections[0].get_offsets()[:, 0], y[:, 0])
    with pytest.raises(ParameterError, match="target"):
        regressor.plot_predicted(target="weight")


def test_an_estimator_says_which_pictures_it_has(
    regressor: GenomeRegressor, survival: GenomeSurvival, fitted: GenomeClassifier
) -> None:
    with pytest.raises(
        AttributeError, match="GenomeRegressor has no plot_roc, which draws classes.*plot_residuals"
    ):
        regressor.plot_roc()
    with pytest.raises(AttributeError, match="GenomeSurvival has no plot_confusion.*plot_risk_groups"):
        survival.plot_confusion()
    assert not hasattr(fitted, "plot_residuals") and hasattr(pickle.loads(pickle.dumps(fitted)), "plot_roc")
    with pytest.raises(AttributeError, match="'GenomeClassifier' object has no attribute 'plots'"):
        fitted.plots()


def test_survival_is_drawn_by_thirds_and_by_a_time(survival: GenomeSurvival, numbers: pd.DataFrame) -> None:
    assert texts(survival.plot_risk_groups()).startswith("Risk thirds, out of fold: log-rank p")
    assert texts(survival.plot_calibration(at=80)).startswith("days 80, out of fold")
    table = numbers.assign(days=np.arange(1.0, 49), dead=1)
    axes = survival.plot_risk_groups(table)
    assert "16 samples, 16 events" in axes.get_legend().get_texts()[0].get_text()
    assert "days 25" in texts(survival.plot_calibration(table))
    with pytest.raises(ParameterError, match="none of these 48 samples has the event"):
        survival.plot_risk_groups(table.assign(dead=0))


def test_samples_of_several_labels_have_no_such_pictures() -> None:
    x, _ = make_study(p=12)
    y = pd.DataFrame({"a": x[:, 0] > 6, "b": x[:, 1] > 6}).astype(int)
    several = GenomeClassifier(**QUICK).fit(x, y)
    with pytest.raises(ParameterError, match="any number of labels"):
        several.plot_confusion()
    assert several.plot_search().get_title("left")
