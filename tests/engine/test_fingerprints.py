"""A run knows its data again: a digest of each part of the problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from genokeras.data import load_sequences, load_texts
from genokeras.encoders import fit_sequence_encoder, fit_text_encoder
from genokeras.engine.budget import Budget
from genokeras.engine.problem import PARTS, fingerprint_of, group_numbers, rows_digest
from genokeras.engine.testing import small_problem
from tests.engine.tables import ages, prepare, table

X, Y = table()
N = len(X)


def changed(**other) -> set[str]:
    """Parts of the fingerprint that differ from those of the table as it is."""
    plain = {"x": X, "y": Y, "weight": None, "groups": np.arange(N) // 2}
    first, second = prepare(**plain).fingerprint, prepare(**{**plain, **other}).fingerprint
    assert set(first) == set(second) == set(PARTS)
    return {name for name in PARTS if first[name] != second[name]}


def test_the_same_data_have_the_same_fingerprint():
    assert changed() == set()


def test_one_other_value_is_other_samples():
    x = X.copy()
    x.iloc[3, 4] += 1
    assert changed(x=x) == {"samples"}


def test_another_order_is_other_samples():
    order = np.r_[2, 1, 0, 3:N]
    assert changed(x=X.iloc[order]) == {"samples"}


def test_the_same_values_under_other_names_are_other_samples():
    assert changed(x=X.rename(columns={"G0": "TP53"})) == {"samples"}


def test_genes_in_another_order_are_other_samples():
    assert changed(x=X[list(reversed(X.columns))]) == {"samples"}


def test_other_labels_are_other_targets():
    y = Y.copy()
    y[[0, 1]] = y[[1, 0]]
    assert changed(y=y) == {"targets"}


def test_other_names_of_the_same_classes_are_the_same_targets():
    assert changed(y=np.char.replace(Y, "tumor", "tumour")) == set()


def test_other_weights_are_seen():
    weight = np.ones(N)
    weight[5] = 2
    assert changed(weight=weight) == {"sample_weight"}


def test_other_groups_are_seen():
    assert changed(groups=np.arange(N) // 3) == {"groups"}
    assert changed(groups=None) == {"groups"}


def test_groups_by_other_names_are_the_same_groups():
    assert changed(groups=np.array([f"donor {i // 2:02d}" for i in range(N)])) == set()


def test_several_changes_are_all_seen():
    assert changed(x=X + 1, weight=np.arange(1.0, N + 1), groups=None) == {
        "samples",
        "sample_weight",
        "groups",
    }


def test_a_sparse_table_is_known_by_its_values_too():
    dense = np.where(X.to_numpy() > 8, X.to_numpy(), 0)
    first = prepare(sparse.csr_matrix(dense), Y).fingerprint
    dense[0, np.flatnonzero(dense[0])[0]] += 1
    assert prepare(sparse.csr_matrix(dense), Y).fingerprint["samples"] != first["samples"]


def test_numbers_are_targets_by_their_values():
    y = ages(X)
    first = prepare(X, y, "numbers").fingerprint
    assert prepare(X, y + 1e-9, "numbers").fingerprint["targets"] != first["targets"]
    assert prepare(X, y, "numbers").fingerprint == first


def test_the_problem_that_is_made_carries_it():
    prepared = prepare(X, Y, weight=np.arange(1.0, N + 1))
    assert prepared.make(Budget(None)).fingerprint == prepared.fingerprint


@pytest.mark.parametrize("part", PARTS)
def test_one_digest_of_all_changes_with_each_part(part):
    parts = dict.fromkeys(PARTS, "a")
    problem = replace(small_problem(), fingerprint=parts)
    other = replace(problem, fingerprint={**parts, part: "b"})
    assert len(problem.digest) == 32
    assert other.digest != problem.digest == replace(problem, fingerprint=dict(parts)).digest


def test_without_groups_there_is_nothing_to_tell_apart():
    found = fingerprint_of("samples", np.arange(3), np.ones(3), None)
    assert found["groups"] == "none" and found["samples"] == "samples"


def test_weights_count_as_numbers_whatever_their_type():
    whole = fingerprint_of("s", np.arange(3), np.ones(3, dtype="int64"), None)
    assert whole == fingerprint_of("s", np.arange(3), np.ones(3, dtype="float32"), None)


def test_groups_are_numbered_by_name():
    assert group_numbers(None) is None
    assert group_numbers(np.array(["b", "a", "b", "c"])).tolist() == [1, 0, 1, 2]


def test_sequences_in_another_order_have_another_digest():
    data = load_sequences(["ACGT" * 5, "AAAA" * 5, "CCGG" * 5])
    encoder, _ = fit_sequence_encoder(data, strands=False)
    rows = encoder.rows(data)
    assert rows_digest(rows) == rows_digest(encoder.rows(data))
    assert rows_digest(rows) != rows_digest({"codes": rows["codes"][[1, 0, 2]]})


def test_a_digest_knows_which_array_is_which():
    one, two = np.zeros(3), np.ones(3)
    assert rows_digest({"a": one, "b": two}) != rows_digest({"a": two, "b": one})
    assert rows_digest({"a": one, "b": two}) == rows_digest({"b": two, "a": one})


def test_texts_that_run_together_are_told_apart():
    def of(*texts: str) -> str:
        data = load_texts(list(texts))
        encoder, _ = fit_text_encoder(load_texts(["a b", "c d"]))
        return rows_digest(encoder.identity(encoder.rows(data)))

    assert of("ab", "c") != of("a", "bc")
