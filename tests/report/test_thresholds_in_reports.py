"""Tables and pictures of a classifier with a threshold say what its ``predict`` says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras import GenomeClassifier, load_estimator
from genokeras.report import plot_confusion_of, report_card, run_predictions, write_report
from genokeras.report.data_checks import training_ids
from genokeras.report.decisions import asked_of, decision_of
from genokeras.report.finished import loading
from genokeras.report.given import given_dataset
from genokeras.report.page import Pictures
from genokeras.report.prediction_parts import prediction_parts, validation_parts
from genokeras.report.scored import score_samples
from genokeras.report.validation import given_predictions
from tests.report.test_html_report import Page

AIM = {"class": "ill", "sensitivity": 0.9}
SETTINGS: dict[str, Any] = {"time_limit": None, "max_trials": 2, "folds": 3, "random_state": 0, "verbose": 0}


def rare(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A quarter of the samples is ill, and most are found."""
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(n) % 4 == 0, "ill", "well")
    x = rng.normal(5, 1, size=(n, 30))
    x[y == "ill", :3] += 2.0
    return x, y


@pytest.fixture(scope="module")
def clf(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    path = tmp_path_factory.mktemp("runs") / "run"
    found = GenomeClassifier(path, threshold=AIM, **SETTINGS).fit(*rare(80, 0))
    p = found.predict_proba(rare(80, 0)[0])
    assert (found.decide(p) != found.classes_[p.argmax(axis=1)]).any()  # or nothing here could fail
    return found


def told(parts: list[str]) -> str:
    return Page("\n".join(parts)).text


def test_given_samples_are_counted_as_predict_answers_them(clf: GenomeClassifier) -> None:
    x, y = rare(60, 1)
    dataset, targets = given_dataset(clf._run, x, y)
    assert targets is not None
    decision, called = decision_of(clf._run), clf.predict(x)
    scored = score_samples(clf._run, dataset, targets)
    found = given_predictions(clf._run, scored, decision.threshold)
    assert clf.classes_[found.decided].tolist() == called.tolist()
    text = told(validation_parts(clf._run, scored, decision, Pictures()))
    recall = {name: (called[y == name] == name).mean() for name in ("ill", "well")}
    precision = {name: (y[called == name] == name).mean() for name in ("ill", "well")}
    for name, n in (("ill", 15), ("well", 45)):
        row = rf" {name} {n} {recall[name]:.3f} [\d.]+ to [\d.]+ {precision[name]:.3f} "
        assert re.search(row, text)
    assert f"Predicted wrong, of the samples that were given: {(called != y).sum()} of 60" in text
    scores = clf.evaluate(x, y)
    for rate in ("sensitivity", "specificity"):
        line = re.search(rf" {rate} ([\d.]+) ([\d.]+) to ([\d.]+) ([\d.]+) ", text)
        assert line is not None and clf.threshold_ is not None
        value, low, high, expected = map(float, line.groups())
        assert value == pytest.approx(scores[rate], abs=6e-4) and low <= value <= high
        assert expected == pytest.approx(clf.threshold_[rate], abs=6e-4)


def test_out_of_fold_tables_go_by_the_threshold_and_say_so(clf: GenomeClassifier) -> None:
    found = run_predictions(clf.path_)
    assert clf.classes_[found.decided].tolist() == clf.decide(found.probabilities).tolist()
    decision = decision_of(clf._run)
    text = told(prediction_parts(clf._run, decision, Pictures()))
    value = clf.threshold_["value"] if clf.threshold_ else np.nan
    assert f"predict answers ill where its probability is {value:.4g} or more, else well" in text
    assert f"a sensitivity of {clf.threshold_['sensitivity']:.3f} (95 % interval" in text  # type: ignore[index]
    wrong = np.array(training_ids(clf._run))[found.decided != found.truth]
    listed = text[text.index(f"Predicted wrong, out of fold: {len(wrong)} of 80") :]
    assert set(re.findall(r"sample_\d+", listed)) == set(wrong)
    right = 1 - len(wrong) / 80
    assert f"{right:.1%} predicted right" in plot_confusion_of(clf).alt  # type: ignore[attr-defined]


def test_a_threshold_that_is_taken_back_is_used_no_more(clf: GenomeClassifier) -> None:
    plain = load_estimator(clf.path_).set_params(threshold=None)
    assert decision_of(plain._run, asked_of(plain)).threshold is None
    found = run_predictions(plain)
    assert (found.decided == found.probabilities.argmax(axis=1)).all()
    assert decision_of(plain._run, None).in_words(["ill", "well"]) == []


def test_the_listing_for_keras_alone_answers_as_predict(clf: GenomeClassifier) -> None:
    code = loading(clf._run, decision_of(clf._run).threshold)[1][1]
    names: dict[str, Any] = {"x": rare(60, 1)[0].astype("float32")}
    names["model"] = keras.saving.load_model(clf.path_ / "best.keras", compile=False)
    names["about"] = json.loads((clf.path_ / "best.json").read_text(encoding="utf-8"))
    exec("\n".join(code.splitlines()[-2:]), names)
    assert names["names"] == clf.predict(names["x"]).tolist()


@pytest.mark.slow
def test_the_report_and_its_card_are_of_the_threshold(clf: GenomeClassifier, tmp_path: Path) -> None:
    x, y = rare(40, 2)
    page = clf.report(tmp_path / "r.html", x, y, explain=False)
    text = Page(page.read_text(encoding="utf-8")).text
    wrong = int((clf.predict(x) != y).sum())
    assert f"Predicted wrong, of the samples that were given: {wrong} of 40" in text
    assert page.read_bytes() == write_report(clf.path_, tmp_path / "by_path.html", x=x, y=y).read_bytes()
    card = (tmp_path / "r_model_card.md").read_text(encoding="utf-8")
    assert card == report_card(clf) and "predict answers ill where its probability is" in card


def test_a_run_that_was_trained_on_since_says_why_no_threshold_is_used(
    clf: GenomeClassifier, tmp_path: Path
) -> None:
    plain = load_estimator(clf.save(tmp_path / "run")).set_params(threshold=None)
    plain.final_fit(*rare(80, 0), trainer_args={"max_iter_num": 3})
    decision = decision_of(plain._run)
    assert decision.threshold is None
    (said,) = decision.in_words(["ill", "well"])
    assert said.startswith("The threshold that was asked for is not used here: ") and "final_fit" in said
