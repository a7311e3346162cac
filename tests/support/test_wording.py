"""Names that are spelt wrong are answered with the nearest known ones."""

from __future__ import annotations

from genokeras.support.wording import closest, did_you_mean, unknown


def test_the_nearest_names_come_back_in_their_own_spelling() -> None:
    assert closest("genomeclasifier", ["GenomeClassifier", "to_pdf"]) == ["GenomeClassifier"]
    assert closest("labl", ["label", "labels", "x"], limit=3) == ["label", "labels"]
    assert closest(7, ["label"]) == []


def test_a_guess_follows_a_full_stop_and_is_empty_where_there_is_none() -> None:
    assert did_you_mean("lable", ["label", "age"]) == " Did you mean 'label'?"
    assert did_you_mean("lable", ["label", "table"]) == " Did you mean 'table' or 'label'?"
    assert did_you_mean("zzz", ["label"]) == ""


def test_an_unknown_name_is_quoted_with_the_nearest_and_all_known() -> None:
    assert unknown("searcher", "bayesan", ["bayesian", "random"]) == (
        "unknown searcher 'bayesan'. Did you mean 'bayesian'? Known: bayesian, random."
    )
