"""How slow the machine is: one pause is no pace."""

from __future__ import annotations

import pytest

from genokeras.engine.pace import measured_slowness

_USUAL = 0.025


def _measured(*seconds: float) -> tuple[float, int]:
    left = list(seconds)
    found = measured_slowness(lambda: left.pop(0))
    return found, len(seconds) - len(left)


def test_a_pause_of_the_machine_does_not_count() -> None:
    assert _measured(30 * _USUAL, 1.1 * _USUAL, 9.0) == (pytest.approx(1.1), 2)


def test_a_machine_that_stays_slow_is_slow() -> None:
    assert _measured(6 * _USUAL, 5 * _USUAL, 7 * _USUAL, 1.0) == (pytest.approx(5.0), 3)


def test_what_is_not_slow_is_measured_once() -> None:
    assert _measured(1.5 * _USUAL, 1.0) == (pytest.approx(1.5), 1)


def test_this_machine_has_a_pace() -> None:
    assert measured_slowness() > 0
