"""JSON holds what every reader of JSON knows; files of it are read back with clear errors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.errors import DataFileError, NewerFormatError, RunFolderError
from genokeras.support import json_files
from genokeras.support.journal import event_of
from genokeras.support.json_files import (
    MOST_BYTES,
    MOST_LEVELS,
    json_text,
    parse_json,
    plain_json,
    read_json,
    write_json,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below) | st.tuples(below, below),
    max_leaves=10,
)


def test_arrays_tuples_and_paths_become_plain() -> None:
    found = plain_json(
        {1: np.float32(0.5), "b": (np.arange(2), Path("x") / "y"), "c": np.array(["s"]), "d": np.bool_(True)}
    )
    assert found == {"1": 0.5, "b": [[0, 1], os.path.join("x", "y")], "c": ["s"], "d": True}
    assert type(found["d"]) is bool


def test_numbers_that_are_not_finite_become_null_or_what_is_asked_for() -> None:
    values = [float("nan"), np.float64("-inf"), np.array([1.0, np.inf])]
    assert plain_json(values) == [None, None, [1.0, None]]
    assert plain_json(values, repr) == ["nan", "-inf", [1.0, "inf"]]


def test_a_value_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="complex is not a JSON value: 1j"):
        plain_json({"a": [1j]})


@given(VALUES)
def test_what_became_plain_is_read_back_as_it_is(value: object) -> None:
    plain = plain_json(value)
    text = json_text(value)
    text.encode("utf-8")
    assert json.loads(text) == plain


def test_names_of_files_that_are_no_utf8_come_back() -> None:
    assert json.loads(json_text("caf\udce9 é")) == "caf\udce9 é"


def test_an_object_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"format": 1, "gene": "β-actin"})
    assert "β-actin" in path.read_text(encoding="utf-8")
    assert read_json(path, format=1) == {"format": 1, "gene": "β-actin"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file '.*a.json'"),
        (b'{"a": ', "cannot read '.*a.json': it is damaged or no JSON"),
        (b"\xff\xfe", "it is damaged or no JSON"),
        (b"[1]", "should hold a JSON object, got list"),
        (b'{"format": 0}', "has format 0; this version of GenoKeras reads 1"),
    ],
)
def test_errors_say_what_is_wrong_with_a_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunFolderError, match=message):
        read_json(path, format=1)
    with pytest.raises(DataFileError, match=message):
        read_json(path, format=1, error=DataFileError)


def test_a_file_of_a_newer_version_is_said_to_be_one(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"format": 2})
    with pytest.raises(NewerFormatError, match="format 2; .* reads 1: it was made by a newer GenoKeras"):
        read_json(path, format=1, error=DataFileError)


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot read .*directory"):
        read_json(tmp_path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # takes no room on the disk
    with pytest.raises(RunFolderError, match=r"a\.json': 101 MB of JSON: 100 MB are read at most"):
        read_json(path)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MOST_BYTES", 10_000)
    write_json(tmp_path / "a.json", {"names": "x" * 5_000})
    with pytest.raises(RunFolderError, match="fewer or shorter names"):
        write_json(tmp_path / "b.json", {"names": "x" * 11_000})
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("opened", ["[", '{"a": ', '[{"}": [], "b": '])
def test_levels_beyond_the_most_are_refused_before_they_are_parsed(
    opened: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text(opened * (MOST_LEVELS + 1), encoding="utf-8")
    monkeypatch.setattr(json_files.json, "loads", lambda _: pytest.fail("parsed"))
    with pytest.raises(RunFolderError, match="more than 200 levels of brackets"):
        read_json(path)
    assert event_of(path.read_bytes()) is None


def test_levels_are_counted_as_they_nest_and_outside_of_texts() -> None:
    deepest = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    flat = json.dumps(["[" * 500, '\\"' + "{" * 500, *([[]] * 500)])
    for text in (deepest, flat):
        assert parse_json(text) == parse_json(text.encode()) == json.loads(text)
    for text in (f"[{deepest}]", '["' + '\\"[' * 200_000, "[[]" * 500_000):
        with pytest.raises(ValueError, match=r"more than 200 levels|damaged or no JSON"):
            parse_json(text)
