"""Samples from elsewhere: studies that are left out, genes that are missing, cohorts that are measured otherwise."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from genokeras import (
    DataError,
    GenomeClassifier,
    GenomeRegressor,
    ImageClassifier,
    ParameterError,
    RunFolderError,
    load_estimator,
)
from genokeras.cli.classes import threshold_in_words
from genokeras.data import align_with_fill, coincidence_notes, leave_one_study_out, load_dataset
from genokeras.engine.other_rows import ChangedRows
from genokeras.estimators.panels import kept_samples
from genokeras.features import fit_filling
from genokeras.report.decisions import decision_of

N, P = 72, 30
SETTINGS = {"time_limit": None, "max_trials": 5, "random_state": 0, "verbose": 0}
NAMES = [f"G{i}" for i in range(P)]


def samples(seed: int = 0, n: int = N) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Ten genes add up to the class; three studies differ in the level of every gene."""
    rng = np.random.default_rng(seed)
    y, study = (
        np.where(rng.random(n) > 0.5, "ill", "well"),
        np.array(["north", "south", "west"])[np.arange(n) % 3],
    )
    x = rng.normal(5, 1, size=(n, P)) + 1.2 * (y == "ill")[:, None] * (np.arange(P) < 10)
    shift = {name: rng.normal(size=P) for name in ("north", "south", "west")}
    return pd.DataFrame(x + 0.3 * np.array([shift[name] for name in study]), columns=NAMES), y, study


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y, study = samples()
    path = tmp_path_factory.mktemp("runs") / "studies"
    return GenomeClassifier(path, **SETTINGS).fit(x.assign(study=study), y, batches="study")


# ---- studies


def test_every_fold_leaves_one_study_out(fitted: GenomeClassifier) -> None:
    problem, (_, _, study) = fitted._run.problem, samples()
    assert len(problem.train) == 3
    for train, held, name in zip(problem.train, problem.held_out, np.unique(study), strict=True):
        assert (held == (study == name)).all() and (train == (study != name)).all()


def test_the_estimate_is_by_study_and_for_new_samples_beside(fitted: GenomeClassifier) -> None:
    for estimate in (fitted.estimate_, load_estimator(fitted.path_).estimate_):
        assert estimate["holds_for"] == "a new study"
        assert {name: one["n_samples"] for name, one in estimate["studies"].items()} == dict.fromkeys(
            ("north", "south", "west"), 24
        )
        assert all(one["balanced_accuracy"] > 0.7 for one in estimate["studies"].values())
        assert estimate["new_samples"]["also"]["balanced_accuracy"]["value"] > 0.8


def test_three_studies_give_no_interval_and_a_note_says_why(fitted: GenomeClassifier) -> None:
    again = load_estimator(fitted.path_)
    for clf in (fitted, again):
        found = [clf.estimate_, *clf.estimate_["also"].values()]
        assert np.isfinite([one["value"] for one in found]).all()
        assert np.isnan([one["interval"] for one in found]).all()
        assert any("3 studies say how it went in these, not how much that varies" in n for n in clf.notes_)
    assert again.estimate_ == fitted.estimate_
    held = json.loads((fitted.path_ / "result.json").read_text(encoding="utf-8"))
    assert held["estimate"]["interval"] == [None, None]
    assert "– to –" not in fitted._repr_html_() and "95 % interval 0" not in fitted._repr_html_()


def test_three_studies_give_no_interval_of_what_a_threshold_reaches(fitted: GenomeClassifier) -> None:
    clf = load_estimator(fitted.path_).set_params(threshold={"class": "ill", "sensitivity": 0.5})
    assert clf.threshold_ is not None and np.isnan(clf.threshold_["sensitivity_interval"]).all()
    said = [threshold_in_words(clf), *decision_of(clf._run, clf.threshold).in_words(clf.classes_)]
    assert re.search(r"a sensitivity of \d\.\d\d and a specificity of \d\.\d\d\.", said[0])
    assert "nan" not in " ".join(said)


def test_the_report_has_a_row_for_each_study(fitted: GenomeClassifier, tmp_path) -> None:
    page = fitted.report(tmp_path / "page.html", explain=False).read_text(encoding="utf-8")
    assert "in too few groups of samples to say how certain that is" in page and "– to –" not in page
    assert "These figures are for a new study" in page and "new samples of the same studies" in page
    assert "New samples need all 30 genes." in page


def test_views_that_travel_are_tried(fitted: GenomeClassifier) -> None:
    assert {"rank", "ratio"} <= set(fitted._run.problem.widths)


def test_a_class_of_one_study_is_never_scored_there() -> None:
    batches, codes = np.repeat(["a", "b", "c"], 6), np.tile([0, 1], 9)
    codes[12:14] = 2
    found = leave_one_study_out(batches, codes, 0, ["class 'x'", "class 'y'", "class 'z'"])
    assert not found.held_out[:, 12:14].any() and not found.train[2, 12:14].any()
    assert found.train[:2, 12:14].all()
    assert "Class 'z' (2 samples) is in study 'c' only" in found.notes[0]


def test_classes_that_coincide_with_studies_are_said() -> None:
    batches, codes = np.repeat(["a", "b"], 10), np.r_[np.zeros(9, int), np.ones(11, int)]
    assert "coincide (Cramer's V 0.9" in coincidence_notes(batches, codes, True)[0]
    assert coincidence_notes(batches, np.tile([0, 1], 10), True) == ()
    numbers = np.r_[np.arange(10.0), 50 + np.arange(10.0)]
    assert "% of the variance" in coincidence_notes(batches, numbers[:, None], False)[0]


# ---- missing genes, other scales


def test_changed_rows_answer_as_the_search_did(fitted: GenomeClassifier) -> None:
    rows, metrics = ChangedRows(fitted._run), ("log_loss", "balanced_accuracy")
    usual = rows.usual(metrics)
    for name, value in rows.values(kept_samples(fitted._run).x, metrics).items():
        # Trials were scored with the sharpness of other folds each.
        assert value == pytest.approx(usual[name], abs=0.05)


def test_missing_genes_are_estimated_from_the_others_and_the_cost_is_said(fitted: GenomeClassifier) -> None:
    x, _, _ = samples(1)
    lacking = x.drop(columns=["G20", "G21", "G3"])
    with pytest.warns(
        UserWarning, match="3 of 30 genes are missing .*G3, G20, G21.* balanced accuracy of the"
    ):
        found = fitted.predict_proba(lacking, missing_genes="impute", most_loss=0.3)
    held, present = kept_samples(fitted._run), np.isin(NAMES, list(lacking.columns))
    filled = fit_filling(held.x[held.used], present).fill(x.to_numpy())
    assert (filled[:, ~present] != x.to_numpy()[:, ~present]).all() and (
        filled[:, ~present].std(axis=0) > 0
    ).all()
    np.testing.assert_allclose(found, fitted.predict_proba(pd.DataFrame(filled, columns=NAMES)), atol=1e-5)
    cost = fitted.missing_genes_
    assert cost.genes == ("G3", "G20", "G21") and cost.loss == pytest.approx(cost.whole - cost.estimated)
    with pytest.warns(FutureWarning, match="missing_genes_.blanked is called missing_genes_.estimated"):
        assert cost.blanked == cost.estimated
    with pytest.raises(DataError, match="3 of the 30 genes"):
        fitted.predict(lacking)


def test_missing_genes_of_a_cohort_on_another_scale_are_estimated_on_that_of_training(
    fitted: GenomeClassifier,
) -> None:
    x, _, _ = samples(2, 60)
    other = (3 * x - 40).drop(columns=["G20", "G21", "G3"])
    with pytest.warns(UserWarning, match="3 of 30 genes"):
        found = fitted.prepare_samples(other, missing_genes="impute", most_loss=0.3, adapt="standardise")
        usual = fitted.prepare_samples(
            x.drop(columns=["G20", "G21", "G3"]), missing_genes="impute", most_loss=0.3, adapt="standardise"
        )
    np.testing.assert_allclose(found.x, usual.x, atol=1e-3)


def test_too_costly_gaps_are_refused(fitted: GenomeClassifier) -> None:
    x, _, _ = samples(1)
    with pytest.raises(
        DataError, match=r"That is more than most_loss=0.05. Measure these genes, or make a panel"
    ):
        fitted.predict(x[NAMES[10:]], missing_genes="impute")


def test_a_cohort_on_another_scale_is_brought_to_that_of_training(fitted: GenomeClassifier) -> None:
    x, y, _ = samples(2, 200)
    other = 3 * x - 40 + np.random.default_rng(0).normal(size=P)
    usual = np.mean(fitted.predict(other) == y)
    assert np.mean(fitted.predict(other, adapt="standardise") == y) > max(0.8, usual)
    prepared = fitted.prepare_samples(other, y, adapt="standardise")
    assert fitted.evaluate(prepared)["accuracy"] > 0.8 and "one cohort" in prepared.notes[-1]


def test_studies_can_be_brought_to_one_scale_in_training_and_later(tmp_path) -> None:
    x, y, study = samples()
    scale = {"north": 1.0, "south": 30.0, "west": 4.0}
    apart = x.mul([scale[name] for name in study], axis=0)
    clf = GenomeClassifier(tmp_path / "run", **SETTINGS).fit(apart, y, batches=study, adapt="standardise")
    held = kept_samples(clf._run).x
    for name in scale:
        np.testing.assert_allclose(held[study == name].mean(axis=0), held.mean(axis=0), atol=1e-2)
    new, truth, _ = samples(4, 100)
    again = load_estimator(clf.path_)
    assert clf.evaluate(-7 * new - 3, truth)["accuracy"] < 0.3  # turned round
    np.testing.assert_allclose(again.predict_proba(7 * new - 3), clf.predict_proba(new), atol=1e-4)
    assert clf.evaluate(new * 50, truth)["accuracy"] > 0.75
    assert clf.explain(new).shape == (80, P, 2)
    assert (
        clf.report(tmp_path / "page.html", new, truth, explain=False).exists()
        and len(clf.novelty(new)) == 100
    )
    with pytest.raises(DataError, match="fitted to such cohorts: predict whole ones"):
        clf.predict(new[:5])
    with pytest.raises(ParameterError, match="adapt is by study: pass batches="):
        GenomeClassifier(**SETTINGS).fit(x, y, adapt="standardise")
    with pytest.raises(DataError, match=r"10 samples or more of each study: tiny \(2\) fewer"):
        GenomeClassifier(**SETTINGS).fit(
            x, y, batches=["tiny"] * 2 + ["large"] * (N - 2), adapt="standardise"
        )


def test_regressors_take_samples_from_elsewhere_too(tmp_path) -> None:
    x, _, study = samples()
    y = x["G0"] + x["G1"]
    reg = GenomeRegressor(tmp_path / "run", **SETTINGS).fit(x, y, batches=study)
    assert set(reg.estimate_["studies"]) == {"north", "south", "west"}
    with pytest.warns(UserWarning, match="1 of 30 genes are missing"):
        assert reg.predict(x.drop(columns="G29"), missing_genes="impute").shape == (N,)


# ---- bad input


def test_a_run_goes_on_with_the_studies_it_began_with(fitted: GenomeClassifier) -> None:
    x, y, study = samples()
    with pytest.raises(RunFolderError, match="it was run with batches, and is now asked to go on without"):
        GenomeClassifier(fitted.path_, **SETTINGS, resume=True).fit(x, y, groups=study)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batches": np.repeat("only", N)}, "batches has one value only, 'only'"),
        ({"batches": np.arange(N) % 3, "groups": np.arange(N)}, "give batches or groups"),
    ],
)
def test_studies_that_cannot_be_left_out_are_refused(given, message, tmp_path) -> None:
    x, y, _ = samples()
    with pytest.raises((DataError, ParameterError), match=re.escape(message)):
        GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y, **given)


def test_studies_with_a_class_each_are_refused(tmp_path) -> None:
    x, y, _ = samples()
    with pytest.raises(DataError, match="batches and classes coincide: no two of the 2 studies"):
        GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y, batches=y)


def test_batches_are_of_tables() -> None:
    with pytest.raises(ParameterError, match="ImageClassifier takes none"):
        ImageClassifier(max_trials=1).fit(np.zeros((4, 8, 8, 1)), [0, 1, 0, 1], batches=[0, 0, 1, 1])


def test_few_samples_are_not_adapted(fitted: GenomeClassifier) -> None:
    x, _, _ = samples(1)
    with pytest.raises(DataError, match=r"adapt='standardise' needs 10 samples or more of one cohort, got 9"):
        fitted.predict(x[:9], adapt="standardise")
    with pytest.raises(ParameterError, match="adapt"):
        fitted.predict(x, adapt="combat")


def test_other_genes_altogether_are_no_gaps() -> None:
    found = load_dataset(pd.DataFrame(np.ones((2, 2)), columns=["A", "B"]))
    with pytest.raises(DataError, match="other names"):
        align_with_fill(found, ("X", "Y"), np.zeros(2))
