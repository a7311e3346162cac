"""Files of labels and of numbers to predict: which line is whose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from genokeras.errors import DataError
from genokeras.projects.data.label_files import read_labels, read_numbers

IDS = tuple(f"s{i}" for i in range(6))


def numbers(folder: Path, first: Sequence[object], ids: Sequence[str] | None = IDS) -> tuple[np.ndarray, str]:
    """What is read of a table with this first column, in which the numbers of line i are i and 10 i; and the notes."""
    lines = [f"{name}\t{i}\t{i * 10}" for i, name in enumerate(first)]
    (folder / "y.tsv").write_text("\n".join(["id\tage\tdose", *lines]) + "\n")
    values, names, notes = read_numbers(folder / "y.tsv", 6, 2, "x.tsv", ids)
    assert names == ("age", "dose")
    return values[:, 0], " ".join(notes)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (["s1", "s2", "s3", "s4", "s5", "b"], "y.tsv has no label for 1 of 6 samples: s0. Expected a line"),
        (["s1", "s2", "s3", "s4", "s5"], "y.tsv has no label for 1 of 6 samples: s0."),
        (["s5", "s4", "s3", "s1", "s2", "s0", "s1", "s5"], "y.tsv labels 2 samples more than once: s5, s1."),
        (list("abcdef"), "y.tsv holds none of the sample ids of the features: they begin with 's0', 's1', its first"),
    ],
    ids=["another id", "a line too few", "repeated", "nothing in common"],
)  # fmt: skip
def test_several_numbers_are_not_given_to_other_samples(
    tmp_path: Path, first: list[str], expected: str
) -> None:
    with pytest.raises(DataError) as error:
        numbers(tmp_path, first)
    assert expected in str(error.value)


@pytest.mark.parametrize("start", [0, 1])
def test_several_numbers_behind_a_column_that_only_counts_go_by_order(tmp_path: Path, start: int) -> None:
    values, notes = numbers(tmp_path, range(start, start + 6))
    assert values.tolist() == [0, 1, 2, 3, 4, 5]
    assert "y.tsv were joined to the rows by order, as its first column only counts." in notes


def test_several_numbers_go_by_order_where_the_features_have_no_ids(tmp_path: Path) -> None:
    assert numbers(tmp_path, list("abcdef"), ids=None)[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_lines_of_samples_that_are_not_wanted_may_repeat(tmp_path: Path) -> None:
    values, notes = numbers(tmp_path, ["s9", *reversed(IDS), "s9"])
    assert values.tolist() == [6, 5, 4, 3, 2, 1]
    assert "by sample id" in notes


def labels(folder: Path, text: str, ids: Sequence[str] | None = IDS) -> list[str]:
    (folder / "y.csv").write_text(text)
    return read_labels(folder / "y.csv", 6, "x.tsv", ids)[0]


@pytest.mark.parametrize("mark", [",", ", ", ";", "\t"])
def test_labels_in_quotes_may_hold_what_separates_columns(tmp_path: Path, mark: str) -> None:
    lines = "".join(
        f'{name}{mark}"ALL{mark.strip()} {i % 2}"\n' for i, name in reversed(list(enumerate(IDS)))
    )
    assert labels(tmp_path, f"id{mark}label\n{lines}") == [f"ALL{mark.strip()} {i % 2}" for i in range(6)]


def test_labels_in_quotes_one_a_line_are_one_column(tmp_path: Path) -> None:
    assert labels(tmp_path, '"ALL, acute"\n"AML, acute"\n' * 3) == ["ALL, acute", "AML, acute"] * 3


@pytest.mark.parametrize(
    ("text", "n_columns"), [("ALL, acute\nAML, acute\n" * 3, 2), ("s1,ALL, acute\ns2,AML, acute\n" * 3, 3)]
)
def test_labels_with_commas_outside_of_quotes_are_refused_with_a_hint(
    tmp_path: Path, text: str, n_columns: int
) -> None:
    expected = (
        f'y.csv holds {n_columns} columns: .* Labels that hold commas need quotes around them: "ALL, acute"'
    )
    with pytest.raises(DataError, match=expected):
        labels(tmp_path, text)


def test_a_file_of_features_with_quotes_is_refused_as_one_of_labels(tmp_path: Path) -> None:
    line = ",".join(['"1"'] * 50_000)
    with pytest.raises(DataError, match="holds 50000 columns"):
        labels(tmp_path, f"{line}\n{line}\n")
