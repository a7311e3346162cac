"""Write a model in a format, read it again, compare its answers, and only then put it in place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.errors import ExportError, ParameterError, RunFolderError
from genokeras.exports import tensorflow_side, torch_side
from genokeras.exports.formats import SUFFIXES, choose_format, format_problem
from genokeras.exports.places import check_target
from genokeras.exports.quiet import quiet
from genokeras.exports.signature import Signature, check_model, read_signature
from genokeras.exports.tensorflow_side import Answering
from genokeras.support.files import written_aside
from genokeras.support.keras_files import load_keras
from genokeras.support.wording import cause

# Formats whose models can read strings.
_WITH_STRINGS = ("keras", "tf_saved_model")


@dataclass(frozen=True)
class Exported:
    """An export that answers as its model does.

    Attributes
    ----------
    path : pathlib.Path
        The file, or the folder.
    format : str
    largest_difference : float
        Between its answers and the model's, as a share of the largest answer of that output.
    inputs, outputs : tuple of str
        Their names, in order.
    """

    path: Path
    format: str
    largest_difference: float
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def export_model_as(
    model: Any,
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    examples: Any = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    tolerance: float = 1e-5,
) -> Exported:
    """Write a Keras model for other programs, and check that they will get the model's own answers.

    The export is made beside its target, loaded as its readers load it, and asked about all examples at once and about one
    of them alone. What was at ``path`` before is replaced when the answers agree, and stays where anything fails.

    Parameters
    ----------
    model : keras.Model
        Built.
    path : path-like
        A file, or a folder for ``tf_saved_model``; the suffix of the format is added where there is none.
    format : {"keras", "tf_saved_model", "onnx", "litert", "torchscript"}, optional
        By default the suffix decides; a name without one is a folder.
    examples : array or structure of arrays, optional
        Rows as ``model.predict`` takes them, of which 256 are used; random ones by default.
    input_names, output_names : sequence of str, optional
        Names in the serving signature. By default those of the input layers and output layers. A ``.keras`` file keeps
        the names of its layers in any case.
    tolerance : float, default=1e-5
        Largest difference that is allowed, as a share of the largest answer of each output.

    Returns
    -------
    Exported

    Raises
    ------
    ParameterError
        If the format is unknown or cannot be written here, or the model is not built.
    DataError
        If the examples do not fit the model.
    ExportError
        If the export cannot be written or read again, or answers otherwise than the model.

    Examples
    --------
    >>> exported = export_model_as(model, "leukemia.onnx", output_names=["probabilities"])  # doctest: +SKIP
    >>> exported.largest_difference  # doctest: +SKIP
    1.2e-07
    """
    format, target = choose_format(path, format)
    problem = format_problem(format)
    if problem:
        raise ParameterError(problem)
    check_model(model)
    _check_strings(model, format)
    check_target(target, folder=format not in SUFFIXES)
    try:
        with quiet(), written_aside(target) as made:
            signature, rows, expected = read_signature(model, examples, input_names, output_names)
            try:
                _write(model, format, signature, made, rows)
                answer = _read(format, made, signature)
                asked = [_first_rows(signature, rows, expected, one) for one in (False, True)]
                found = [answer(some) for some, _ in asked]
            except Exception as error:
                raise ExportError(
                    f"the model {model.name!r} cannot be exported as {format}: {cause(error)}. "
                    f"Nothing was written to {str(target)!r}."
                ) from error
            pairs = [(wanted, got) for (_, wanted), got in zip(asked, found, strict=True)]
            scales = {name: _largest(each) for name, each in expected.items()}
            difference = max(_difference(wanted, got, scales, format, tolerance) for wanted, got in pairs)
    except RunFolderError as error:
        raise ExportError(str(error)) from error
    inputs = tuple(port.name for port in signature.inputs)
    return Exported(target, format, difference, inputs, signature.outputs)


def _check_strings(model: Any, format: str) -> None:
    reads_strings = any(tensor.dtype == "string" for tensor in getattr(model, "inputs", None) or ())
    if reads_strings and format not in _WITH_STRINGS:
        raise ParameterError(
            f"the model {model.name!r} reads texts as they are and looks its words up itself, for which {format} has no operations. Export it "
            "as .keras, or as a folder for TensorFlow Serving."
        )


def _write(model: Any, format: str, signature: Signature, path: Path, rows: list[np.ndarray]) -> None:
    match format:
        case "keras":
            model.save(path)
        case "tf_saved_model":
            tensorflow_side.write_saved_model(model, signature, path)
        case "litert":
            tensorflow_side.write_litert(model, signature, path)
        case "torchscript":
            torch_side.write_torchscript(model, signature, path, rows)
        case "onnx" if keras.backend.backend() == "torch":
            torch_side.write_onnx(model, signature, path, rows)
        case _:
            tensorflow_side.write_onnx(model, signature, path)


def _read(format: str, path: Path, signature: Signature) -> Answering:
    readers = {
        "keras": _read_keras,
        "tf_saved_model": tensorflow_side.read_saved_model,
        "litert": tensorflow_side.read_litert,
        "torchscript": torch_side.read_torchscript,
        "onnx": _read_onnx,
    }
    return readers[format](path, signature)


def _read_keras(path: Path, signature: Signature) -> Answering:
    model = load_keras(path)
    names = [port.name for port in signature.inputs]
    return lambda rows: signature.by_output(
        model.predict_on_batch(signature.pack([rows[name] for name in names]))
    )


def _read_onnx(path: Path, signature: Signature) -> Answering:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda rows: dict(zip(signature.outputs, session.run(list(signature.outputs), rows), strict=True))


def _first_rows(
    signature: Signature, rows: list[np.ndarray], expected: dict[str, np.ndarray], one: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All rows, or the first one alone, which an export that has fixed the number of rows cannot answer."""
    kept = slice(1 if one and signature.inputs[0].shape[0] is None else None)
    asked = {port.name: each[kept] for port, each in zip(signature.inputs, rows, strict=True)}
    return asked, {name: each[kept] for name, each in expected.items()}


def _difference(
    expected: dict[str, np.ndarray],
    found: dict[str, np.ndarray],
    scales: dict[str, float],
    format: str,
    tolerance: float,
) -> float:
    """The largest difference as a share of the largest answer.

    Raises
    ------
    ExportError
        If it is above the tolerance, or an output is missing or of another shape.
    """
    worst = 0.0
    for name, wanted in expected.items():
        got = np.asarray(found[name]) if name in found else None
        if got is None or got.shape != wanted.shape:
            raise ExportError(
                f"the {format} export is not what the model is: its output {name!r} should have the shape {wanted.shape}, "
                f"got {'none' if got is None else got.shape}. Nothing was written."
            )
        share = _distance(wanted.astype("float64"), got.astype("float64")) / scales[name]
        if not share <= tolerance:
            raise ExportError(
                f"the {format} export answers otherwise than the model: its output {name!r} differs by {share:.2g} of the "
                f"largest answer, and {tolerance:g} is allowed. Nothing was written. A model that draws random numbers when "
                "it predicts cannot be compared; for one of half precision, pass a larger tolerance=."
            )
        worst = max(worst, share)
    return worst


def _largest(answers: np.ndarray) -> float:
    finite = np.abs(answers[np.isfinite(answers)].astype("float64"))
    return float(finite.max(initial=0.0)) or 1.0


def _distance(wanted: np.ndarray, got: np.ndarray) -> float:
    """The largest difference; infinite where one is a number and the other is none."""
    finite = np.isfinite(wanted)
    if (
        not np.array_equal(wanted[~finite], got[~finite], equal_nan=True)
        or not np.isfinite(got[finite]).all()
    ):
        return float("inf")
    return float(np.abs(wanted[finite] - got[finite]).max(initial=0.0))
