"""Folders of classes: which folders are classes, and which are parts of a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from genokeras.data import load_texts
from genokeras.errors import DataError, DataFileError


def write(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"about {path}")
    return folder


@pytest.mark.parametrize(
    "parts", [("train", "test"), ("Training", "Validation"), ("train", "val", "test"), ("train",)]
)
def test_parts_of_a_data_set_are_no_classes_and_reading_one_works(
    tmp_path: Path, parts: tuple[str, ...]
) -> None:
    folder = write(
        tmp_path / "d",
        *(f"{part}/{kind}/{i}.txt" for part in parts for kind in ("good", "bad") for i in (1, 2)),
    )
    with pytest.raises(
        DataFileError, match="parts of a data set which hold the class folders, not classes"
    ) as error:
        load_texts(folder)
    assert f"Read one of them at a time: {str(folder / parts[0])!r} to fit" in str(error.value)
    assert sorted(set(load_texts(folder / parts[0]).labels)) == ["bad", "good"]


def test_parts_without_class_folders_are_no_classes_either(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="parts of a data set, not classes"):
        load_texts(write(tmp_path / "d", "train/1.txt", "test/2.txt"))
    assert load_texts(tmp_path / "d" / "train", ["good"]).labels.tolist() == ["good"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    data = load_texts(write(tmp_path / "d", "train/1.txt", "ship/old/2.txt"))
    assert sorted(data.labels) == ["ship", "train"] and data.notes == ()


def test_which_folders_are_the_classes_is_said_where_both_could_be(tmp_path: Path) -> None:
    data = load_texts(
        write(tmp_path / "d", *(f"{site}/{kind}/1.txt" for site in "ab" for kind in ("good", "bad")))
    )
    assert sorted(set(data.labels)) == ["a", "b"]
    assert data.notes == (
        "The classes are the outer folders (a, b); each of them holds the folders bad, good.",
    )


def test_a_class_folder_may_be_a_link(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", "good/1.txt")
    (folder / "bad").symlink_to(write(tmp_path / "elsewhere", "2.txt", "deep/3.txt"))
    data = load_texts(folder)
    assert data.names == ("bad/2.txt", "bad/deep/3.txt", "good/1.txt")
    assert data.labels.tolist() == ["bad", "bad", "good"] and data.notes == ()


def test_links_that_lead_in_circles_are_followed_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", "good/1.txt", "bad/2.txt", "bad/deep/3.txt")
    (folder / "bad" / "all").symlink_to(folder)
    (folder / "bad" / "deep" / "up").symlink_to(folder / "bad")
    assert load_texts(folder).names == ("bad/2.txt", "bad/deep/3.txt", "good/1.txt")


def test_two_classes_may_be_links_to_one_folder(tmp_path: Path) -> None:
    both = write(tmp_path / "both", "1.txt")
    (tmp_path / "d").mkdir()
    for name in "ab":
        (tmp_path / "d" / name).symlink_to(both)
    assert load_texts(tmp_path / "d").labels.tolist() == ["a", "b"]


def test_folders_without_such_files_and_links_without_a_target_are_said(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", "good/1.txt", "bad/2.txt", "ugly/3.doc", ".hidden/4.txt")
    (folder / "odd").mkdir()
    (folder / "good" / "5.txt").symlink_to(tmp_path / "nowhere")
    assert load_texts(folder).notes == (
        "1 file of another kind left out: 3.doc.",
        "2 folders without files that end in .txt left out: odd, ugly.",
        "1 link without a target left out: 5.txt.",
    )


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["0.txt", "1.txt"], ["0", "1"]),
        (["0.txt", "1.txt"], ["d/0.txt", "d/1.txt"]),
        (["0.txt", "1.txt"], ["d\\0", "d\\1"]),
        (["en/0.txt", "nl/0.txt"], ["en/0", "nl/0"]),
        (["en/0.txt", "nl/1.txt"], ["0.txt", "1.txt"]),
        (["en/0.txt", "nl/1.txt"], ["x/0", "x/1"]),
        (["en/0.txt", "nl/1.txt"], ["en/0.txt", "nl/1.txt"]),
    ],
)
def test_labels_join_files_by_name_with_or_without_suffix_and_folder(
    tmp_path: Path, names: list[str], written: list[str]
) -> None:
    for name in names:
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_text(f"so {name}")
    (tmp_path / "l.csv").write_text(f"file,label\n{written[1]},b\n{written[0]},a\nother.txt,c\n")
    data = load_texts(tmp_path / "d", tmp_path / "l.csv")
    assert data.names == tuple(names) and data.labels is not None and data.labels.tolist() == ["a", "b"]


@pytest.mark.parametrize("written", [["0", "0"], ["x/0.txt", "y/0.txt"], ["0.txt", "nl/1.txt"]])
def test_labels_that_may_mean_several_files_join_none(tmp_path: Path, written: list[str]) -> None:
    for name in ("en/0.txt", "nl/0.txt"):
        (tmp_path / "d" / name).parent.mkdir(parents=True)
        (tmp_path / "d" / name).write_text("so")
    (tmp_path / "l.csv").write_text(f"file,label\n{written[0]},a\n{written[1]},b\n")
    with pytest.raises(DataError, match="2 samples of d not in l.csv"):
        load_texts(tmp_path / "d", tmp_path / "l.csv")
