"""Ordered classes: their order, their scores, and probabilities that move along it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from genokeras.errors import DataError, ParameterError
from genokeras.tasks.objectives import get_objective
from genokeras.tasks.ordered import Ordered
from genokeras.tasks.ordered_scores import quadratic_kappa, ranked_probability_rows
from genokeras.tasks.task import Labelled


def labelled(values: list[Any], order: tuple[Any, ...] = ()) -> Labelled:
    return Labelled(np.array(values), ("grade",), tuple(f"S{i}" for i in range(len(values))), "array", order)


def test_the_order_is_that_which_was_given_or_that_of_numbers() -> None:
    aim = Ordered.learn(labelled(["high", "low", "mid", "low"], ("low", "mid", "high")))
    assert aim.names.tolist() == ["low", "mid", "high"] and aim.targets.tolist() == [2, 0, 1, 0]
    assert aim.notes == ("The classes are ordered: low < mid < high.",)
    assert Ordered.learn(labelled(["10", "9", "10"])).names.tolist() == ["9", "10"]
    assert Ordered.learn(labelled([3, 1, 3], ("1", "2", "3"))).names.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("order", "error", "said"),
    [
        ((), ParameterError, r"are not numbers .*: pass ordered=\[...\] with all classes, the lowest first"),
        (("low", "high"), DataError, "y holds classes that the order does not name .*: mid"),
        (("low", "mid", "mid", "high"), ParameterError, "ordered must name each class once"),
    ],
)
def test_an_order_that_does_not_fit_is_refused(
    order: tuple[str, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Ordered.learn(labelled(["high", "low", "mid"], order))


def test_the_shared_output_moves_samples_up_all_steps() -> None:
    task = Ordered(3)
    p = task.answers_of(np.array([[-9.0, 0, 0], [0, 9, -9], [9, 0, 0]], dtype="float32"))
    assert p.argmax(axis=1).tolist() == [0, 1, 2]
    assert p.sum(axis=1) == pytest.approx(np.ones(3))


def test_ranked_probability_score_counts_how_far_off_a_mistake_is() -> None:
    p = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    assert ranked_probability_rows(p, np.array([0, 0, 0])).tolist() == [0.0, 0.5, 1.0]


def test_quadratic_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    p, codes, w = rng.dirichlet(np.ones(4), size=50), rng.integers(0, 4, 50), rng.uniform(0.5, 2, 50)
    wanted = cohen_kappa_score(codes, p.argmax(1), weights="quadratic", sample_weight=w)
    assert quadratic_kappa(p, codes, w) == pytest.approx(wanted)
    assert Ordered.objective("qwk").name == "quadratic_kappa"
    assert get_objective("quadratic_kappa", "classes").greater_is_better
