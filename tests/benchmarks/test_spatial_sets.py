"""Sets of sequences and texts: which rows train and score, what a prediction is worth, what the linear peer does."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.spatial_peers import evaluate_peer
from benchmarks.quality.spatial_sets import (
    SETS,
    find_spatial_sets,
    measures,
    measures_over_rounds,
    read_spatial_set,
    rounds,
)

RNG = np.random.default_rng(0)


def random_sequence(positive: int) -> str:
    letters = "".join(RNG.choice(list("ACGT"), 30))
    return letters[:10] + ("TATAAT" if positive else letters[10:16]) + letters[16:]


def write_rows(file: Path, header: str, rows: list[str]) -> None:
    file.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))


def write_split(folder: Path, name: str, parts: dict[str, int]) -> None:
    names = [part for part, count in parts.items() for _ in range(count)]
    rows = [f"{random_sequence(i % 2)},{i % 2},{part}" for i, part in enumerate(names)]
    write_rows(folder / f"{name}.csv.gz", "sequence,label,split", rows)


def test_a_published_split_trains_chooses_and_scores(tmp_path: Path) -> None:
    write_split(tmp_path, "gue_mouse_2", {"train": 20, "dev": 6, "test": 8})
    data = read_spatial_set(tmp_path, "gue_mouse_2")
    (part,) = rounds(data)
    assert [len(rows) for rows in (part.train, part.valid, part.test)] == [20, 6, 8]
    assert data.protocol == "published split" and data.classes == ("0", "1")


def test_without_a_training_part_the_validation_part_trains(tmp_path: Path) -> None:
    write_split(tmp_path, "gue_emp_h3", {"dev": 6, "test": 8})
    (part,) = rounds(read_spatial_set(tmp_path, "gue_emp_h3"))
    assert [len(rows) for rows in (part.train, part.valid, part.test)] == [6, 0, 8]


def test_a_small_set_leaves_one_out_and_its_promoters_are_positive(tmp_path: Path) -> None:
    rows = [f"{random_sequence(i % 2)},{'promoter' if i % 2 else 'non-promoter'},s{i}" for i in range(12)]
    write_rows(tmp_path / "uci_promoters.csv.gz", "sequence,label,name", rows)
    data = read_spatial_set(tmp_path, "uci_promoters")
    assert data.classes == ("non-promoter", "promoter") and data.codes.tolist() == [0, 1] * 6
    assert [part.test.tolist() for part in rounds(data)] == [[i] for i in range(12)]
    assert len(list(rounds(data, 3))) == 3


def test_a_set_without_a_split_has_five_folds(tmp_path: Path) -> None:
    rows = [
        f"call me {'free' if i % 4 == 0 else 'later'} {i},{'spam' if i % 4 == 0 else 'ham'}"
        for i in range(240)
    ]
    write_rows(tmp_path / "sms_spam.csv.gz", "text,label", rows)
    data = read_spatial_set(tmp_path, "sms_spam")
    tests = [part.test for part in rounds(data)]
    assert data.classes == ("ham", "spam") and len(tests) == 5
    assert sorted(np.concatenate(tests).tolist()) == list(range(240))


def test_only_sets_that_are_there_are_found(tmp_path: Path) -> None:
    write_split(tmp_path, "gue_mouse_2", {"dev": 2})
    assert find_spatial_sets(tmp_path) == ["gue_mouse_2"]
    with pytest.raises(SystemExit, match="no set 'gue_mouse_3'.*Did you mean 'gue_mouse_2'"):
        find_spatial_sets(tmp_path, ["gue_mouse_3"])
    assert len(SETS) == 11


def test_measures_are_those_of_a_count_by_hand() -> None:
    found = measures(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]]))
    assert found["accuracy"] == 0.75 and found["error"] == 0.25 and found["errors"] == 1
    np.testing.assert_allclose([found["mcc"], found["roc_auc"]], [2 / np.sqrt(12), 1])


def test_single_samples_are_measured_all_at_once() -> None:
    parts = [(np.array([i % 2]), np.eye(2)[[i % 2]]) for i in range(4)]
    assert measures_over_rounds(parts)["mcc"] == 1


def test_the_linear_peer_finds_a_planted_word(tmp_path: Path) -> None:
    write_split(tmp_path, "gue_mouse_2", {"train": 120, "dev": 30, "test": 60})
    line = evaluate_peer(read_spatial_set(tmp_path, "gue_mouse_2"))
    assert line["roc_auc"] > 0.9 and line["protocol"] == "published split"
