"""Outputs go by the same names, or by others: whether a run goes on with them."""

from __future__ import annotations

import pytest

from genokeras.tasks.output_names import same_names


@pytest.mark.parametrize(
    ("held", "now", "same"),
    [
        (["age"], ["age"], True),
        (["age"], ["size"], False),
        (["b", "c"], ["c", "b"], False),
        (["age"], ["y"], True),  # an array has no name
        (["label"], ["age"], True),  # nor has what came with the samples
        (["b", "c"], ["y_0", "y_1"], True),
        (["b", "c"], ["b"], False),
    ],
)
def test_targets_are_told_apart_by_their_names_where_they_have_any(held, now, same):
    assert same_names(held, now, of_classes=False) is same


@pytest.mark.parametrize(
    ("held", "now", "same"),
    [
        (["low", "mid"], ["mid", "sick"], False),
        (["low", "mid"], ["0", "1"], False),  # a number is a class's own name
        (["0", "1"], ["False", "True"], True),
        (["0", "1"], ["0.0", "1.0"], True),
    ],
)
def test_classes_are_told_apart_by_what_their_names_mean(held, now, same):
    assert same_names(held, now, of_classes=True) is same
