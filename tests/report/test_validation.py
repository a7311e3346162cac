"""Samples that a report is given: scored, compared with the estimate, and listed by class and by mistake."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_score, recall_score

from genokeras import GenomeClassifier, GenomeRegressor, GenomeSurvival, write_report
from genokeras.engine import read_record
from genokeras.errors import ParameterError
from genokeras.report.by_class import class_table, mistakes
from genokeras.report.data_checks import training_ids
from genokeras.report.decisions import Decision
from genokeras.report.diagnostics import Predictions
from genokeras.report.estimate import estimate_rows, expectation
from genokeras.report.given import given_dataset
from genokeras.report.page import Pictures
from genokeras.report.prediction_parts import validation_parts
from genokeras.report.scored import Score, ScoredSamples, score_samples
from genokeras.report.validation import entries, shifted_classes, verdict_on
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from tests.report.test_html_report import Page

SETTINGS: dict[str, Any] = {"time_limit": None, "max_trials": 2, "random_state": 1, "verbose": 0}


def study(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng, ill = np.random.default_rng(seed), np.arange(n) % 2 == 1
    x = rng.normal(size=(n, 40)) + 1.2 * ill[:, None] * (np.arange(40) < 5)
    ids = [f"P{seed}-{i:02}" for i in range(n)]
    return pd.DataFrame(x, index=ids, columns=[f"g{i}" for i in range(40)]), np.where(ill, "ill", "well")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = study(40, 0)
    return GenomeClassifier(tmp_path_factory.mktemp("scored") / "run", folds=4, **SETTINGS).fit(x, y)


def text_of(path: Path) -> str:
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page.text


def told_of(fitted: Any, x: pd.DataFrame, y: np.ndarray, groups: Any = None) -> str:
    """The tables of these samples alone: the whole page takes seconds."""
    dataset, targets = given_dataset(fitted._run, x, y, groups)
    assert targets is not None
    return Page(
        "\n".join(
            validation_parts(
                fitted._run, score_samples(fitted._run, dataset, targets), Decision(), Pictures()
            )
        )
    ).text


@pytest.mark.slow
def test_given_samples_are_scored_as_evaluate_does(fitted: GenomeClassifier, tmp_path: Path) -> None:
    x, y = study(60, 1)
    scores = fitted.evaluate(x, y)
    page = fitted.report(tmp_path / "r.html", x, y, explain=False)
    text = text_of(page)
    assert page.read_text(encoding="utf-8") == write_report(
        fitted.path_, tmp_path / "by_path.html", x=x, y=y
    ).read_text(encoding="utf-8")
    value = scores["balanced_accuracy"]
    assert f"Balanced accuracy of {value:.3f} (95 % interval" in text
    assert "on the 60 samples that were given" in text and "is a training sample" not in text
    row = re.search(r"balanced accuracy ([\d.]+) ([\d.]+) to ([\d.]+) ([\d.]+) ([\d.]+) to", text)
    found = re.search(r"60 samples that were given, and the estimate.*?" + row.re.pattern, text)  # type: ignore[union-attr]
    assert found is not None
    mine, low, high, expected = (float(part) for part in found.groups()[:4])
    assert mine == pytest.approx(value, abs=6e-4) and low <= mine <= high and low < high
    held = entries(fitted.estimate_)["balanced_accuracy"]["value"]
    assert expected == pytest.approx(held, abs=6e-4)


def test_chance_is_that_of_the_samples_and_not_of_the_training(fitted: GenomeClassifier) -> None:
    # Half of the training samples are ill, and so the constant answer is the first class.
    x, y = study(60, 1)
    kept = np.concatenate([np.flatnonzero(y == "ill")[:5], np.flatnonzero(y == "well")[:20]])
    text = told_of(fitted, x.iloc[kept], y[kept])
    interval = r"[\d.]+ to [\d.]+"
    assert re.search(rf" accuracy [\d.]+ {interval} [\d.]+ {interval} 0.200 higher", text)
    assert "learnt from the training samples, scores on these" in text
    assert (
        "Class shares differ from training: 50 % well in training, 80 % here. Accuracy and probabilities depend on them."
        in text
    )


def test_wrong_samples_are_listed_by_id_the_surest_first(fitted: GenomeClassifier) -> None:
    x, y = study(60, 1)
    p = fitted.predict_proba(x)
    wrong = np.flatnonzero(fitted.classes_[p.argmax(axis=1)] != y)
    ids = [x.index[i] for i in wrong[np.argsort(-p.max(axis=1)[wrong])]]
    text = told_of(fitted, x, y)
    listed = text[text.index(f"Predicted wrong, of the samples that were given: {len(wrong)} of 60") :]
    assert re.findall(r"P1-\d\d", listed)[: len(ids)] == ids


def test_training_samples_go_by_their_ids_and_by_numbers_where_a_run_kept_none(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    assert training_ids(fitted._run)[:2] == ("P0-00", "P0-01")
    copy = fitted.save(tmp_path / "copy")
    settings = json.loads((copy / "run.json").read_text())
    del settings["sample_ids"]
    (copy / "run.json").write_text(json.dumps(settings))
    assert training_ids(read_record(RunFolder(copy)))[:2] == ("number 1", "number 2")


def test_training_samples_are_no_external_validation(fitted: GenomeClassifier) -> None:
    (known, y), (new, z) = study(40, 0), study(20, 1)
    x, labels = pd.concat([new, known.iloc[[3, 5]]]), np.concatenate([z, y[[3, 5]]])
    text = told_of(fitted, x, labels)
    assert "But 2 of these samples are training samples, by the values (P0-03, P0-05)" in text


def test_samples_with_gaps_are_looked_at_and_not_scored(fitted: GenomeClassifier, tmp_path: Path) -> None:
    x, y = study(20, 1)
    x.iloc[3, 4] = np.nan
    text = text_of(fitted.report(tmp_path / "r.html", x, y, explain=False))
    assert "are not scored: values are missing in 1 of 20 samples" in text
    assert "Missing values in the 20 samples that were given: 1" in text


def of_donors(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Samples with a column ``donor``: four of each, two of each class."""
    x, y = study(n, seed)
    return x.assign(donor=[f"D{i // 4}" for i in range(n)]), y


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = of_donors(40, 0)
    place = tmp_path_factory.mktemp("grouped") / "run"
    return GenomeClassifier(place, folds=4, **SETTINGS).fit(x, y, groups="donor")


def test_groups_of_given_samples_are_drawn_as_a_whole(grouped: GenomeClassifier) -> None:
    x, y = of_donors(60, 1)
    text = told_of(grouped, x, y, "donor")
    assert "Intervals of these samples are by resampling their 15 groups, each as a whole" in text
    assert "taken as independent: with groups=" not in text
    one = told_of(grouped, x, y, ["D"] * 60)
    assert "All of these samples are of 1 group, and scores have intervals from 5 groups on." in one
    assert "on the 60 samples that were given" in one and "interval –" not in one


def test_a_run_with_groups_says_that_samples_without_are_taken_as_independent(
    grouped: GenomeClassifier, fitted: GenomeClassifier
) -> None:
    said = "these samples came without, so that they are taken as independent: with groups= a report draws"
    x, y = of_donors(60, 1)
    assert said in told_of(grouped, x, y)
    assert said not in told_of(fitted, x, y)


@pytest.mark.slow
def test_a_report_takes_groups_as_fit_does(grouped: GenomeClassifier, tmp_path: Path) -> None:
    x, y = of_donors(60, 1)
    page = grouped.report(tmp_path / "r.html", x, y, explain=False, groups="donor")
    assert "resampling their 15 groups" in text_of(page)
    by_path = write_report(grouped.path_, tmp_path / "by_path.html", x=x, y=y, groups=x["donor"])
    assert by_path.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_report_of_survival_takes_groups(tmp_path: Path) -> None:
    x, _ = of_donors(80, 0)
    rng = np.random.default_rng(0)
    time, event = rng.exponential(np.exp(-x["g0"])), rng.random(80) < 0.7
    model = GenomeSurvival(tmp_path / "run", folds=3, **SETTINGS)
    model.fit(x[:60], time=time[:60], event=event[:60], groups="donor")
    page = model.report(
        tmp_path / "r.html", x[60:], time=time[60:], event=event[60:], explain=False, groups="donor"
    )
    assert "resampling their 5 groups" in text_of(page)


def test_groups_without_samples_are_refused(fitted: GenomeClassifier, tmp_path: Path) -> None:
    for write in (fitted.report, partial(write_report, fitted.path_)):
        with pytest.raises(ParameterError, match="groups are of the samples x, which is missing"):
            write(tmp_path / "r.html", groups=["a"])  # type: ignore[operator]


def test_of_numbers_the_samples_that_are_furthest_off_are_listed(tmp_path: Path) -> None:
    def aged(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
        x, _ = study(40, seed)
        return x, 40.0 + 5.0 * x.to_numpy()[:, :3].sum(axis=1)

    (x, y), (new, z) = aged(0), aged(1)
    regressor = GenomeRegressor(tmp_path / "run", folds=3, **SETTINGS).fit(x, y)
    text = told_of(regressor, new, z)
    off = np.abs(regressor.predict(new).ravel() - z)
    assert f"R2 of {regressor.evaluate(new, z)['r2']:.3f}" in text
    listed = text[text.index("Samples that are furthest off") :]
    assert re.findall(r"P1-\d\d", listed)[:5] == [new.index[i] for i in np.argsort(-off)[:5]]


# ---- by hand


def three_classes() -> Predictions:
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 3
    p = rng.random((60, 3)) + 0.7 * np.eye(3)[truth]
    return Predictions(truth, p / p.sum(axis=1, keepdims=True), ["a", "b", "<c>"])


def test_recall_and_precision_agree_with_scikit_learn() -> None:
    found = three_classes()
    predicted = found.probabilities.argmax(axis=1)
    text = Page(class_table(found, "By class")).text
    recall = recall_score(found.truth, predicted, average=None)
    precision = precision_score(found.truth, predicted, average=None)
    for name, r, p in zip("ab", recall, precision, strict=False):
        assert re.search(rf" {name} 20 {r:.3f} [\d.]+ to [\d.]+ {p:.3f} ", text)
    assert "<c> 20" in text


def test_a_class_that_is_never_said_has_no_precision() -> None:
    found = Predictions([0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]], ["a", "b"])
    text = Page(class_table(found, "By class")).text
    assert "b 1 0.000 0.00 to 0.97 – – 0.000 a (1)" in text


def test_that_nothing_is_wrong_is_said() -> None:
    found = Predictions([0, 1], [[0.9, 0.1], [0.2, 0.8]], ["a", "b"])
    assert (
        Page(mistakes(found, ["s", "t"], "Samples predicted wrong")).text
        == "Samples predicted wrong: none of 2."
    )


def scored(n: int = 30, trained_on: tuple[str, ...] = ()) -> ScoredSamples:
    ids = tuple(f"S{i}" for i in range(n))
    return ScoredSamples(np.zeros(n), np.zeros((n, 2)), ids, f"the {n} samples that were given", trained_on)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ((0.90, 0.82, 0.97), "That is as expected (0.850 to 0.950)."),
        ((0.97, 0.93, 0.99), "That is better than expected"),
        ((0.70, 0.61, 0.79), "worse than the 0.900 that was expected, by more than chance"),
        ((0.80, 0.70, 0.90), "below what was expected (0.850 to 0.950), but so few samples cannot tell"),
        ((1.00, 1.00, 1.00), "the exact interval of their share begins at 0.884."),
    ],
)
def test_a_validation_is_compared_with_what_was_expected(
    score: tuple[float, float, float], said: str
) -> None:
    expected = {"balanced_accuracy": {"value": 0.9, "interval": [0.85, 0.95]}}
    words = verdict_on(scored(), [Score("balanced_accuracy", *score, True)], expected)
    assert said in words and words.startswith("Balanced accuracy of")


def test_that_all_are_right_counts_groups() -> None:
    expected = {"balanced_accuracy": {"value": 0.9, "interval": [0.85, 0.95]}}
    samples = replace(scored(30), groups=np.arange(30) % 5)
    words = verdict_on(samples, [Score("balanced_accuracy", 1.0, 1.0, 1.0, True)], expected)
    assert "the exact interval of the share of such groups begins at 0.478." in words
    unknown = verdict_on(samples, [Score("balanced_accuracy", 1.0, np.nan, np.nan, True)], expected)
    assert "All are predicted right" not in unknown


def test_of_few_groups_nothing_is_expected_within_limits(estimate: dict[str, Any]) -> None:
    nan = float("nan")
    expected = {"balanced_accuracy": {"value": 0.9, "interval": [nan, nan]}}
    words = verdict_on(scored(), [Score("balanced_accuracy", 0.8, 0.7, 0.9, True)], expected)
    assert words.endswith("Expected was 0.900, without an interval.")
    few = estimate | {"interval": [nan, nan]}
    assert expectation(few, "sample") == "On new samples, expect a log loss of 0.200; lower is better."
    assert estimate_rows(few)[0][2] == "–"


def test_of_losses_lower_is_better() -> None:
    expected = {"log_loss": {"value": 0.3, "interval": [0.2, 0.4]}}
    words = verdict_on(scored(), [Score("log_loss", 0.6, 0.5, 0.7, False)], expected)
    assert "worse than the 0.300 that was expected" in words
    assert "better than expected" in verdict_on(
        scored(), [Score("log_loss", 0.1, 0.05, 0.15, False)], expected
    )


def of_classes(accuracy: tuple[float, float, float], loss: tuple[float, float, float]) -> list[Score]:
    """Scores whose headline is as expected by ``EXPECTED``, in the order of the table."""
    return [
        Score("balanced_accuracy", 0.9, 0.82, 0.97, True),
        Score("accuracy", *accuracy, True),
        Score("log_loss", *loss, False),
    ]


EXPECTED = {
    "log_loss": {"value": 0.3, "interval": [0.2, 0.4]},
    "balanced_accuracy": {"value": 0.9, "interval": [0.85, 0.95]},
    "accuracy": {"value": 0.9, "interval": [0.84, 0.96]},
}


def test_all_scores_that_are_worse_by_more_than_chance_are_named_the_objective_first() -> None:
    words = verdict_on(scored(), of_classes((0.52, 0.4, 0.6), (0.64, 0.5, 0.8)), EXPECTED)
    assert (
        "That is as expected (0.850 to 0.950). Other scores are worse than expected, by more than chance: log loss 0.640 (0.500 to 0.800, "
        "expected 0.200 to 0.400), accuracy 0.520 (0.400 to 0.600, expected 0.840 to 0.960). Its probabilities do not hold for these samples."
    ) in words


def test_scores_whose_intervals_meet_are_not_named() -> None:
    words = verdict_on(scored(), of_classes((0.8, 0.7, 0.9), (0.45, 0.39, 0.5)), EXPECTED)
    assert words.endswith("That is as expected (0.850 to 0.950).")


def test_few_samples_are_no_excuse_where_another_score_is_worse_by_more_than_chance() -> None:
    headline = Score("balanced_accuracy", 0.8, 0.7, 0.9, True)
    scores = [headline, *of_classes((0.52, 0.4, 0.6), (0.3, 0.2, 0.4))[1:]]
    words = verdict_on(scored(), scores, EXPECTED)
    assert "cannot tell" not in words
    assert (
        "below what was expected (0.850 to 0.950), but not by more than chance. Another score is worse"
        in words
    )


def test_a_headline_that_is_worse_is_not_named_twice() -> None:
    scores = [
        Score("balanced_accuracy", 0.7, 0.6, 0.8, True),
        *of_classes((0.5, 0.4, 0.6), (0.3, 0.2, 0.4))[1:],
    ]
    words = verdict_on(scored(), scores, EXPECTED)
    assert words.lower().count("balanced accuracy") == 1
    assert (
        "measured in another way. Another score is also worse than expected, by more than chance: accuracy"
        in words
    )


def test_class_shares_stand_beside_probabilities_that_do_not_hold() -> None:
    words = verdict_on(
        scored(), of_classes((0.9, 0.8, 1.0), (0.64, 0.5, 0.8)), EXPECTED, "20 % ill in training, 80 % here"
    )
    assert words.endswith(
        "Its probabilities do not hold for these samples, whose class shares differ from training: 20 % ill in training, 80 % here."
    )


def classes_here(trained: list[int], here: list[int]) -> str:
    run: Any = SimpleNamespace(
        task=Classes(len(trained)),
        names=np.array(["well", "ill", "odd"][: len(trained)]),
        folder=SimpleNamespace(settings={"class_counts": trained}),
    )
    codes = np.repeat(np.arange(len(here)), here)
    return shifted_classes(run, replace(scored(len(codes)), targets=codes))


def test_class_shares_are_said_where_they_differ_by_more_than_chance() -> None:
    assert classes_here([80, 20], [10, 40]) == "20 % ill in training, 80 % here"
    assert classes_here([80, 20], [3, 2]) == ""
    assert classes_here([800, 200], [7500, 2500]) == ""
    assert (
        classes_here([40, 40, 20], [40, 0, 60])
        == "40 % ill in training, 0 % here; 20 % odd in training, 60 % here"
    )


def test_the_headline_is_what_a_biologist_reads_and_log_loss_stands_below(estimate: dict[str, Any]) -> None:
    def of(metric: str, value: float, greater: bool = True) -> dict[str, Any]:
        return estimate | {"metric": metric, "value": value, "greater_is_better": greater}

    also = [of("accuracy", 0.8), of("roc_auc", 0.95), of("balanced_accuracy", 0.9)]
    whole = estimate | {"also": {one["metric"]: one for one in also}}
    assert expectation(whole, "sample").startswith("On new samples, expect a balanced accuracy of 0.900")
    assert "and a ROC AUC of 0.950" in expectation(whole, "sample")
    assert [row[0] for row in estimate_rows(whole)] == [
        "balanced accuracy",
        "ROC AUC",
        "accuracy",
        "log loss",
    ]
    assert "a log loss of 0.200 (95 % interval 0.100 to 0.300); lower is better" in expectation(
        estimate, "sample"
    )
