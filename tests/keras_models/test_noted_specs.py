"""A spec that notes what is read of it."""

from __future__ import annotations

import pytest

from genokeras.keras_models.noted_spec import (
    BUILD,
    METRICS,
    NotedSpec,
    measuring,
    noted,
    show,
    still_holds,
)
from genokeras.tuning import ParamSpec

SPEC = ParamSpec(momentum=0.9, units=8)


def test_what_is_read_is_noted_with_its_value() -> None:
    view = NotedSpec(SPEC)
    assert view.momentum == 0.9
    assert "units" in view
    assert "layers" not in view
    assert noted(view, BUILD) == {"momentum": 0.9, "units": 8}


def test_what_metrics_read_is_noted_apart() -> None:
    view = NotedSpec(SPEC)
    with measuring(view):
        assert view.units == 8
    assert noted(view, BUILD) == {}
    assert noted(view, METRICS) == {"units": 8}


def test_all_values_at_once_are_all_read() -> None:
    view = NotedSpec(SPEC)
    assert dict(view.items()) == SPEC.to_dict()
    assert set(noted(view, BUILD)) == {"momentum", "units"}


def test_it_holds_while_nothing_read_has_changed() -> None:
    view = NotedSpec(SPEC)
    assert view.units == 8
    assert still_holds(view, SPEC.replace(momentum=0.5))
    assert not still_holds(view, SPEC.replace(units=4))
    show(view, SPEC.replace(momentum=0.5))
    assert view.momentum == 0.5


def test_a_name_that_is_not_there_is_an_error_with_a_guess() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'momentum'"):
        NotedSpec(SPEC).momentun  # noqa: B018
