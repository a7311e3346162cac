"""Options of a few names list them, know those of the library, and refuse others at once."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main
from genokeras.cli.answers import CLASSES, COX, HAZARD, LABELS, NUMBERS
from genokeras.cli.choices import EXECUTORS, FORMATS, OBJECTIVES, SEARCHERS, check_objective
from genokeras.cli.group import Failure
from genokeras.engine.arcs import NAME
from genokeras.engine.executors import EXECUTORS as LIBRARY_EXECUTORS
from genokeras.engine.searching import SEARCHERS as LIBRARY_SEARCHERS
from genokeras.exports.formats import FORMATS as LIBRARY_FORMATS
from genokeras.tasks.known import find_task


def fit(*options: str) -> Result:
    return CliRunner().invoke(main, ["fit", "data.csv", "--out", "run", *options])


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_names_are_those_of_the_library() -> None:
    assert (*LIBRARY_SEARCHERS, NAME) == SEARCHERS
    assert LIBRARY_EXECUTORS == EXECUTORS and LIBRARY_FORMATS == FORMATS
    for task, names in ((CLASSES, "classes"), (NUMBERS, "numbers"), (LABELS, "labels")):
        assert tuple(find_task(task).objectives) == OBJECTIVES[names]
    ranked = find_task("ordered").objectives
    assert tuple(ranked) == OBJECTIVES["ordered classes"] + OBJECTIVES["classes"]
    of_survival = {*find_task(COX).objectives, *find_task(HAZARD).objectives}
    assert of_survival == set(OBJECTIVES["survival"])


def test_the_first_of_a_kind_is_the_default_as_the_help_says() -> None:
    tasks = {"classes": CLASSES, "ordered classes": "ordered", "numbers": NUMBERS, "labels": LABELS}
    for names, task in {**tasks, "survival": COX}.items():
        assert find_task(task).default_objective == OBJECTIVES[names][0]
    assert find_task(HAZARD).default_objective == OBJECTIVES["survival"][0]


def test_the_help_of_fit_lists_objectives_and_searchers() -> None:
    text = flat(CliRunner().invoke(main, ["fit", "--help"]).stdout)
    for names in OBJECTIVES.values():
        assert ", ".join(names) in text
    assert "--searcher [bayesian|random|enas]" in text and "--executor [local|pool|ray|shared]" in text


@pytest.mark.parametrize(
    ("option", "value", "guess"),
    [
        ("--objective", "log_los", "log_loss"),
        ("--searcher", "bayes", "bayesian"),
        ("--executor", "pol", "pool"),
        ("--missing", "medain", "median"),
    ],
)
def test_other_names_are_refused_with_the_list_and_a_guess(option: str, value: str, guess: str) -> None:
    result = fit(option, value)
    assert result.exit_code == 2
    assert f"'{option}': '{value}' is none of " in flat(result.stderr)
    assert f"Did you mean '{guess}'?" in flat(result.stderr)


def test_an_objective_of_another_target_is_refused_with_those_of_this_one() -> None:
    with pytest.raises(
        Failure, match="one of r2, mse, rmse, mae, pearson, spearman to predict numbers: got f1"
    ):
        check_objective("f1", NUMBERS, ordered=False)
    with pytest.raises(Failure, match="got quadratic_kappa"):
        check_objective("quadratic_kappa", CLASSES, ordered=False)
    for objective, task, ordered in (
        ("quadratic_kappa", CLASSES, True),
        ("auc", CLASSES, False),
        (None, COX, False),
    ):
        check_objective(objective, task, ordered)
