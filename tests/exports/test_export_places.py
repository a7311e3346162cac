"""Formats decided by suffix; exports moved into place whole, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from genokeras.errors import ExportError, ParameterError
from genokeras.exports import choose_format, export_model_as, format_problem
from genokeras.exports.places import check_target


@pytest.mark.parametrize(
    ("path", "format", "expected"),
    [
        ("a/model.keras", None, ("keras", "a/model.keras")),
        ("model.ONNX", None, ("onnx", "model.ONNX")),
        ("model.tflite", "litert", ("litert", "model.tflite")),
        ("model.pt", None, ("torchscript", "model.pt")),
        ("served", None, ("tf_saved_model", "served")),
        ("model.v2", "onnx", ("onnx", "model.v2.onnx")),
        ("model.v2", "tf_saved_model", ("tf_saved_model", "model.v2")),
    ],
)
def test_format_and_path_come_from_each_other(
    path: str, format: str | None, expected: tuple[str, str]
) -> None:
    chosen, target = choose_format(path, format)
    assert (chosen, str(target)) == (expected[0], str(Path(expected[1])))


@pytest.mark.parametrize(
    ("path", "format", "message"),
    [
        ("model", "onx", "Did you mean 'onnx'"),
        ("model", 3, "must be one of keras"),
        ("model.onxx", None, "Did you mean '.onnx'"),
        ("model.onnx", "keras", "change one of them"),
    ],
)
def test_unknown_and_contradicting_formats_are_refused(path: str, format: str | None, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        choose_format(path, format)


def test_an_unknown_format_has_no_problem_but_is_one() -> None:
    with pytest.raises(ParameterError, match="must be one of"):
        format_problem("pickle")


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ExportError, match="notes.txt"):
        check_target(tmp_path, folder=True)


def test_a_folder_that_only_looks_like_an_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    with pytest.raises(ExportError, match="assets"):
        check_target(tmp_path, folder=True)


def test_a_file_is_no_folder_and_a_folder_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="is a file"):
        check_target(tmp_path / "file", folder=True)
    with pytest.raises(ExportError, match="is a folder"):
        check_target(tmp_path, folder=False)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    x = keras.Input((2,))
    with pytest.raises(ExportError, match="cannot write .*Give a path that can be written"):
        export_model_as(keras.Model(x, keras.layers.Dense(1)(x)), tmp_path / "file" / "model.keras")
