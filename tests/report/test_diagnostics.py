"""ROC, precision and recall, calibration and confusion, of runs and of predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genokeras.engine import TrialStore, read_problem, read_record
from genokeras.errors import ParameterError, RunFolderError
from genokeras.report import (
    Predictions,
    plot_calibration,
    plot_confusion_of,
    plot_precision_recall,
    plot_roc,
    run_predictions,
)
from genokeras.report.class_curves import GRID, area_text, precision_on_grid, roc_on_grid
from genokeras.report.class_pictures import curve_pictures
from genokeras.report.diagnostics import reliability
from genokeras.support import RunFolder
from genokeras.tasks.calibration import Calibration

PLOTS = [plot_roc, plot_precision_recall, plot_calibration, plot_confusion_of]
TWO = Predictions([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.2, 0.8]], ["well", "ill"])


def predictions(n_classes: int, n: int = 120) -> Predictions:
    rng = np.random.default_rng(0)
    codes = np.arange(n) % n_classes
    p = rng.random((n, n_classes)) + np.eye(n_classes)[codes]
    classes = [f"class {i}" for i in range(n_classes)]
    return Predictions(codes, p / p.sum(axis=1, keepdims=True), classes, np.arange(n) // n_classes % 3)


# ---- of a run


def test_out_of_fold_predictions_are_the_calibrated_ensemble(finished_run: Path) -> None:
    codes, probabilities, fold, _ = read_record(RunFolder(finished_run)).out_of_fold()
    store = TrialStore(RunFolder(finished_run))
    first, second = store.answers(store.history().ok()).astype("float64")
    expected = Calibration(1.2, 0.04).apply(0.25 * first + 0.75 * second)
    np.testing.assert_allclose(probabilities, expected)
    problem = read_problem(RunFolder(finished_run))
    assert (codes == problem.targets).all()
    assert problem.held_out[fold, np.arange(len(codes))].all()


def test_rows_that_no_fold_holds_out_are_left_out(finished_run: Path) -> None:
    folder = RunFolder(finished_run)
    data = folder.read_arrays("data.npz")
    data["held_out"][0] = False
    folder.write_arrays("data.npz", data)
    found = read_record(folder).out_of_fold()
    assert set(found.fold) == {1, 2} and len(found.targets) == 16


def test_a_run_is_drawn_with_its_class_names(finished_run: Path) -> None:
    assert "ill: AUC" in plot_roc(finished_run).alt
    assert run_predictions(finished_run).classes == ("well", "ill")


@pytest.mark.parametrize("plot", PLOTS)
def test_a_run_that_never_finished_has_no_predictions(plot, make_run) -> None:
    with pytest.raises(RunFolderError, match="stopped before it chose its ensemble"):
        plot(make_run([]))


# ---- curves by hand


def test_the_roc_curve_of_four_samples_is_right() -> None:
    line = plot_roc(TWO).axes[0].lines[0]
    assert list(line.get_xdata()) == [0, 0, 0.5, 0.5, 1] and list(line.get_ydata()) == [0, 0.5, 0.5, 1, 1]
    assert line.get_label() == "ill: AUC 0.750"


def test_curves_of_folds_take_the_upper_end_where_they_jump() -> None:
    on_grid = roc_on_grid(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8]))
    assert on_grid[GRID < 0.5].tolist() == [0.5] * 50 and (on_grid[GRID >= 0.5] == 1).all()


def test_precision_of_a_fold_is_that_of_the_highest_threshold_that_recalls_enough() -> None:
    on_grid = precision_on_grid(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.8]))
    assert (on_grid[GRID <= 0.5] == 1).all() and np.allclose(on_grid[GRID > 0.5], 2 / 3)


def test_areas_agree_with_scikit_learn() -> None:
    found = predictions(3)
    value = roc_auc_score(found.truth == 2, found.probabilities[:, 2])
    assert f"class 2: AUC {value:.3f}" in plot_roc(found).alt


def test_an_area_below_1_is_not_rounded_up() -> None:
    assert [area_text(area) for area in (1.0, 0.9996, 0.9994)] == ["1.000", "> 0.999", "0.999"]


def test_bands_need_folds() -> None:
    assert len(plot_roc(predictions(2)).axes[0].collections) == 1
    assert not plot_roc(TWO).axes[0].collections


def test_folds_with_one_side_only_have_no_curve() -> None:
    one_sided = Predictions(TWO.truth, TWO.probabilities, TWO.classes, [0, 0, 1, 1])
    assert not plot_roc(one_sided).axes[0].collections


@pytest.mark.parametrize("plot", [plot_roc, plot_precision_recall])
@pytest.mark.parametrize(("n_classes", "panels"), [(2, 1), (3, 1), (6, 6), (14, 12)])
def test_many_classes_get_a_panel_each(plot, n_classes: int, panels: int) -> None:
    axes = plot(predictions(n_classes)).axes
    assert sum(one.axison for one in axes) == panels


def test_one_class_can_be_asked_for() -> None:
    assert "class 4: AP" in plot_precision_recall(predictions(6), positive="class 4").alt
    with pytest.raises(ParameterError, match="got 'clas 4'. Did you mean 'class 4'"):
        plot_roc(predictions(6), positive="clas 4")


def test_a_class_that_no_sample_has_gets_no_curve() -> None:
    found = predictions(3)
    rows = found.truth != 1
    some = Predictions(found.truth[rows], found.probabilities[rows], found.classes)
    assert "class 1" not in plot_roc(some).alt
    with pytest.raises(ParameterError, match="none of one side"):
        plot_roc(some, positive="class 1")


# ---- calibration


def test_reliability_counts_and_averages_by_hand() -> None:
    table = reliability(np.array([0.02, 0.06, 0.55, 1.0]), np.array([False, True, True, True]), 2)
    assert table["count"].tolist() == [2, 2]
    np.testing.assert_allclose(table["said"], [0.04, 0.775])
    np.testing.assert_allclose(table["observed"], [0.5, 1.0])
    low, high = table["interval"]
    # Clopper and Pearson of 1 in 2 and 2 in 2: roots of (1 - p)^2 = .975 and p^2 = .025.
    np.testing.assert_allclose(low, [1 - np.sqrt(0.975), np.sqrt(0.025)])
    assert high[1] == 1


@pytest.mark.parametrize(("n", "groups"), [(12, 2), (35, 3), (400, 10)])
def test_no_group_of_a_calibration_is_so_small_that_it_says_nothing(n: int, groups: int) -> None:
    rng = np.random.default_rng(0)
    said = (
        rng.random(n) ** 4
    )  # most are near 0, where intervals of equal width would leave single samples elsewhere
    table = reliability(said, rng.random(n) < said)
    assert len(table["count"]) == groups and table["count"].min() >= min(10, n // 2)
    assert table["count"].sum() == n and (np.diff(table["said"]) > 0).all()


def test_samples_of_one_probability_are_in_one_group() -> None:
    said = np.repeat([0.1, 0.9], [50, 10])
    table = reliability(said, said > 0.5)
    assert table["count"].tolist() == [50, 10] and table["observed"].tolist() == [0.0, 1.0]


def test_the_calibration_shows_how_many_samples_there_are() -> None:
    axes = plot_calibration(TWO, bins=2).axes[0]
    assert [text.get_text() for text in axes.texts] == ["2", "2"]
    assert "error 0.225" in axes.get_title(loc="left")


def test_the_confusion_matrix_has_the_truth_on_y() -> None:
    found = Predictions([0, 0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]], ["well", "ill"])
    axes = plot_confusion_of(found).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "2", (1, 0): "1", (0, 1): "0", (1, 1): "1"}


def test_of_many_classes_the_predicted_one_is_judged() -> None:
    assert plot_calibration(predictions(6)).axes[0].get_xlabel() == "probability of the predicted class"


@pytest.mark.parametrize("bins", [1, 2.5, True])
def test_too_few_bins_are_refused(bins: int) -> None:
    with pytest.raises(ParameterError, match="bins must be a whole number"):
        plot_calibration(TWO, bins=bins)


@pytest.mark.parametrize(("n_classes", "axes"), [(2, 1), (6, 1), (9, 9)])
def test_curves_of_a_report_share_axes_unless_there_are_many(n_classes: int, axes: int) -> None:
    roc, recall, calibration = (draw() for draw in curve_pictures(predictions(n_classes)))
    assert [sum(one.axison for one in picture.axes) for picture in (roc, recall)] == [axes, axes]
    last = f"class {n_classes - 1}: AUC"
    assert last in roc.alt and last.replace("AUC", "AP") in recall.alt and "Calibration of" in calibration.alt


# ---- all of them


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("n_classes", [2, 6])
def test_pictures_say_in_words_what_they_show(plot, n_classes: int) -> None:
    picture = plot(predictions(n_classes))
    assert len(picture.alt) > 20 and picture.rendered("svg").startswith(b"<?xml")


@pytest.mark.parametrize("plot", PLOTS)
def test_names_that_look_like_formulas_or_tags_are_drawn_as_they_are(plot) -> None:
    odd = Predictions(TWO.truth, TWO.probabilities, ["$x_{$", "<script>alert(1)</script>"])
    assert plot(odd).rendered("png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"probabilities": np.ones((3, 2))}, r"expected .4, 2., got .3, 2."),
        ({"probabilities": np.full((4, 2), np.nan)}, "none of them missing"),
        ({"probabilities": np.full((4, 2), 1.5)}, "between 0 and 1"),
        ({"truth": []}, "one row a sample"),
        ({"truth": ["well", "wel", "ill", "ill"]}, "Did you mean 'well'"),
        ({"fold": [0, 1]}, "fold must have one number a sample"),
        ({"classes": ["only"], "truth": [0] * 4}, "at least 2"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(change: dict[str, object], said: str) -> None:
    given = {"truth": TWO.truth, "probabilities": TWO.probabilities, "classes": TWO.classes}
    with pytest.raises(ParameterError, match=said):
        Predictions(**{**given, **change})
