"""The data of a run of sequences, images or texts: how they are split, written and read back."""

from __future__ import annotations

import numpy as np

from genokeras.data import choose_folds, load_sequences, load_texts, make_folds
from genokeras.encoders import fit_sequence_encoder, fit_text_encoder
from genokeras.engine import Problem, read_problem, write_problem
from genokeras.engine.problem import fingerprint_of, rows_digest
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes

# Letters, pixels or words of a usual sample.
PLACES = 1000


def of_texts(texts):
    data = load_texts(texts)
    encoder, _ = fit_text_encoder(data)
    codes = np.arange(len(texts)) % 2
    folds = make_folds(codes, 2, seed=0)
    return Problem(
        codes, folds.held_out, np.ones(len(texts)), encoder, encoder.rows(data), Classes(2), folds.train
    )


def split(n, n_folds=None, groups=None, places=PLACES):
    return choose_folds(n, np.arange(n) % 2, groups, n_folds, 0, ["a", "b"], places)


def test_few_samples_have_three_folds_that_hold_each_out_once():
    folds = split(900)
    assert folds.n_folds == 3
    assert (folds.held_out.sum(axis=0) == 1).all()
    assert "3 folds" in folds.notes[-1]


def test_many_samples_have_one_hold_out_of_a_fifth():
    folds = split(2500)
    assert folds.n_folds == 1
    assert folds.held_out.sum() == 500
    assert "hold-out" in folds.notes[-1]


def test_many_short_samples_have_folds_all_the_same():
    assert [split(2500, places=places).n_folds for places in (80, 300, 500)] == [5, 3, 1]


def test_groups_stay_whole_in_the_hold_out():
    groups = np.arange(3000) // 100
    folds = split(3000, groups=groups)
    assert set(groups[folds.held_out[0]]).isdisjoint(groups[folds.train[0]])


def test_a_number_of_folds_that_was_asked_for_is_kept():
    assert split(2500, n_folds=4).n_folds == 4


def test_texts_of_any_script_come_back_as_they_were(tmp_path):
    texts = ["größer als", "", "多言語 text", "end 🙂"] * 2
    problem = of_texts([text or "x" for text in texts])
    problem.rows["texts"][1] = ""
    folder = RunFolder.create(tmp_path / "run", {})
    write_problem(folder, problem)
    again = read_problem(folder)
    assert again.rows["texts"].tolist() == problem.rows["texts"].tolist()
    assert again.encoder.to_dict() == problem.encoder.to_dict()
    assert again.task == problem.task
    np.testing.assert_array_equal(again.held_out, problem.held_out)


def test_the_fingerprint_tells_other_data_and_other_labels():
    data = load_sequences(["ACGT" * 5, "AAAA" * 5])
    encoder, _ = fit_sequence_encoder(data, strands=False)

    def of(rows, codes):
        parts = fingerprint_of(rows_digest(encoder.identity(rows)), np.array(codes), np.ones(2), None)
        return tuple(parts.values())

    rows = encoder.rows(data)
    prints = {
        of(rows, [0, 1]),
        of(rows, [1, 0]),
        of({"codes": rows["codes"][::-1]}, [0, 1]),
        of({"codes": rows["codes"].copy()}, [0, 1]),
    }
    assert len(prints) == 3
