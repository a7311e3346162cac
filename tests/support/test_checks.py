"""Checks return plain values, and say what was expected and what came."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from genokeras.errors import GraphError, ParameterError
from genokeras.support.checks import check_choice, check_number, check_whole, complaints


@pytest.mark.parametrize("value", [1, np.int64(7), np.uint8(3), np.array(2)])
def test_a_whole_number_comes_back_as_an_int(value: Any) -> None:
    assert type(check_whole(value, "epochs")) is int


@pytest.mark.parametrize(
    "value", [0, -1, 1.0, np.float32(2), True, np.bool_(True), "3", None, [1], np.array([1, 2])]
)
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="^epochs must be a whole number of at least 1, got "):
        check_whole(value, "epochs")


def test_the_message_quotes_value_and_range() -> None:
    with pytest.raises(GraphError, match=r"^seed must be a whole number of at least 0, got -1\.$"):
        check_whole(-1, "seed", 0, error=GraphError)
    with pytest.raises(ParameterError, match=r"^top_k must be a whole number from 1 to 9, got 10\.$"):
        check_whole(10, "top_k", most=9)


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.25), np.int8(1), Fraction(1, 2)])
def test_a_number_comes_back_as_a_float(value: Any) -> None:
    assert type(check_number(value, "rate", above=0, most=1)) is float


@pytest.mark.parametrize(
    "value", [0, 1.5, -math.inf, math.nan, np.float64("nan"), True, "0.5", None, 1j, 10**400]
)
def test_what_is_no_number_in_range_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="^rate must be a number above 0 and at most 1, got "):
        check_number(value, "rate", above=0, most=1)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "a finite number"),
        ({"least": 0}, "a number of at least 0"),
        ({"least": 0, "below": 1}, "a number of at least 0 and below 1"),
        ({"above": 0}, "a number above 0"),
        ({"most": 0.5}, "a number of at most 0.5"),
        ({"least": 0, "most": 1}, "a number from 0 to 1"),
    ],
)
def test_the_message_names_the_limits_of_a_number(limits: dict[str, float], words: str) -> None:
    with pytest.raises(ParameterError, match=f"^rate must be {words}, got 'x'\\.$"):
        check_number("x", "rate", **limits)


def test_a_choice_is_answered_with_the_nearest() -> None:
    check_choice(None, "act", ("relu", None))
    with pytest.raises(
        ParameterError, match=r"^act must be one of relu, tanh, got 'rely'\. Did you mean 'relu'\?$"
    ):
        check_choice("rely", "act", ("relu", "tanh"))


@pytest.mark.parametrize("value", [None, 3, ["relu"], np.array(["relu"])])
def test_what_is_no_name_is_no_choice(value: Any) -> None:
    with pytest.raises(ParameterError, match="^act must be one of relu, tanh, got "):
        check_choice(value, "act", ("relu", "tanh"))


def test_complaints_are_collected() -> None:
    values = {"epochs": 5, "patience": 0, "steps": 1.5}
    assert complaints(check_whole, values, least=1) == [
        "patience must be a whole number of at least 1, got 0.",
        "steps must be a whole number of at least 1, got 1.5.",
    ]
