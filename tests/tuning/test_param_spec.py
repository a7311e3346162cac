"""Parameter specs as values."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.tuning import ParamSpec, lists_to_search

SPEC = ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
LISTS = ParamSpec(weight_decay=[1e-2, 1e-3], momentum=[0.99, 0.9])


def test_values_are_attributes() -> None:
    assert SPEC.momentum == 0.9
    assert LISTS.momentum == [0.99, 0.9]


def test_an_unknown_name_is_met_with_a_guess() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'momentum'"):
        _ = SPEC.momentun


def test_nothing_can_be_set_or_deleted() -> None:
    with pytest.raises(AttributeError, match="spec.replace"):
        SPEC.momentum = 0.5
    with pytest.raises(AttributeError, match="cannot be changed"):
        del SPEC.momentum


def test_changing_a_list_that_was_handed_out_changes_nothing() -> None:
    values = [1, 2]
    spec = ParamSpec(n=values)
    values.append(3)
    spec.n.append(4)
    assert spec.n == [1, 2]


def test_equality_is_that_of_the_values() -> None:
    assert ParamSpec(a=1, b=[2]) == ParamSpec(b=[2], a=1).with_reasons({"a": "best"})
    assert ParamSpec(a=1) != ParamSpec(a=2)
    assert ParamSpec(a=1) != {"a": 1}


def test_the_representation_makes_the_same_spec() -> None:
    assert repr(SPEC) == "ParamSpec(weight_decay=0.0001, momentum=0.9, learning_rate=0.1)"


def test_dicts_and_json_go_there_and_back() -> None:
    spec = SPEC.replace(units=[1, None, "x"])
    assert ParamSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_items_come_in_order() -> None:
    assert list(SPEC.items()) == [("weight_decay", 1e-4), ("momentum", 0.9), ("learning_rate", 0.1)]
    assert "momentum" in SPEC
    assert len(SPEC) == 3


def test_replacing_leaves_the_first_spec_and_drops_what_no_longer_holds() -> None:
    reasoned = SPEC.with_reasons({"momentum": "best", "learning_rate": "range test"})
    changed = reasoned.replace(momentum=0.99)
    assert (changed.momentum, reasoned.momentum) == (0.99, 0.9)
    assert changed.reasons == {"learning_rate": "range test"}


def test_the_report_says_why() -> None:
    lines = SPEC.with_reasons({"learning_rate": "the highest before divergence"}).report().splitlines()
    assert lines[0].split() == ["weight_decay", "0.0001", "as", "given"]
    assert lines[2].endswith("the highest before divergence")


def test_a_reason_for_nothing_is_an_error() -> None:
    with pytest.raises(ParameterError, match="'momento'"):
        SPEC.with_reasons({"momento": "best"})


@pytest.mark.parametrize("name", ["items", "report", "replace", "_values"])
def test_names_of_its_own_are_taken(name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        ParamSpec(**{name: 1})


def test_copies_and_other_processes_get_an_equal_spec() -> None:
    spec = LISTS.with_reasons({"momentum": "best"})
    for other in (copy.copy(spec), copy.deepcopy(spec), pickle.loads(pickle.dumps(spec))):
        assert other == spec
        assert other.reasons == spec.reasons


def test_arrays_become_lists() -> None:
    assert ParamSpec(rate=np.array([0.5, 0.25])).rate == [0.5, 0.25]


def test_the_lists_to_search_keep_their_order() -> None:
    assert list(lists_to_search(SPEC, LISTS).items()) == list(LISTS.items())


def test_lists_for_unknown_names_are_left_out_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="'momentun'. Did you mean 'momentum'."):
        found = lists_to_search(SPEC, ParamSpec(momentun=[0.9], momentum=[0.5]))
    assert found == {"momentum": [0.5]}


def test_empty_lists_and_single_values_are_told_of_together() -> None:
    with pytest.raises(ParameterError, match="momentum is an empty list.*learning_rate must be a list"):
        lists_to_search(SPEC, ParamSpec(momentum=[], learning_rate=0.1))
