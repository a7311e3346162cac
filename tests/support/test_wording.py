"""Names that are spelt wrong are answered with the nearest known ones."""

from __future__ import annotations

import pytest

from genokeras.support.wording import cause, closest, did_you_mean


def test_the_nearest_names_come_back_in_their_own_spelling() -> None:
    assert closest("genomeclasifier", ["GenomeClassifier", "to_pdf"]) == ["GenomeClassifier"]
    assert closest("labl", ["label", "labels", "x"], limit=3) == ["label", "labels"]
    assert closest(7, ["label"]) == []


def test_a_guess_follows_a_full_stop_and_is_empty_where_there_is_none() -> None:
    assert did_you_mean("lable", ["label", "age"]) == " Did you mean 'label'?"
    assert did_you_mean("lable", ["label", "table"]) == " Did you mean 'table' or 'label'?"
    assert did_you_mean("zzz", ["label"]) == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no such layer.\nat line 3", "no such layer"),
        ("", "ValueError"),
        ("Layers: many\n\nException encountered: wrong shape.", "wrong shape"),
        ("It failed:\n\n  here\nand there", "It failed: here"),
        ("x" * 400, "x" * 300 + ".."),
    ],
)
def test_the_cause_of_an_error_is_what_it_says_first(said: str, shown: str) -> None:
    assert cause(ValueError(said)) == shown
