"""What goes into a model and what comes out: names, shapes, types, and example rows to compare answers on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.streams import check_rows, dense_arrays, plain_arrays, take_rows

MOST_ROWS = 256
_ROWS, _FREE_SIZE = 5, 8
_NOT_NAME = re.compile(r"[^0-9A-Za-z_]")
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_]*")


@dataclass(frozen=True)
class Port:
    """One input: its name, shape (None where any size will do, first the batch) and type."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Signature:
    """What an export takes and gives, by name.

    Attributes
    ----------
    inputs : tuple of Port
    outputs : tuple of str
    structure : nested structure
        What the model itself takes, with anything for leaves.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    structure: Any

    def pack(self, flat: Sequence[Any]) -> Any:
        """Arrays in the order of ``inputs``, as the model takes them."""
        return keras.tree.pack_sequence_as(self.structure, list(flat))

    def by_output(self, answer: Any) -> dict[str, Any]:
        """An answer of the model, by output name."""
        return dict(zip(self.outputs, keras.tree.flatten(answer), strict=True))


def check_model(model: Any) -> None:
    """Refuse what is no built Keras model.

    Raises
    ------
    ParameterError
    """
    if not isinstance(model, keras.Model):
        raise ParameterError(f"model must be a keras.Model, got {type(model).__name__}.")
    if not model.built:
        raise ParameterError(
            f"the model {model.name!r} is not built yet, so nobody knows what goes into it: call it on some rows, "
            "or give it a keras.Input, before it is exported."
        )


def read_signature(
    model: Any,
    examples: Any = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> tuple[Signature, list[np.ndarray], dict[str, np.ndarray]]:
    """The signature of a model, example rows for it, and the model's own answers to them.

    Parameters
    ----------
    model : keras.Model
        Built.
    examples : array or structure of arrays, optional
        As ``model.predict`` takes them; the first 256 rows are used. Random ones by default.
    input_names, output_names : sequence of str, optional
        In place of the names of the input and output layers.

    Returns
    -------
    signature : Signature
    rows : list of numpy.ndarray
        In the order of the inputs.
    answers : dict of str to numpy.ndarray

    Raises
    ------
    ParameterError
        If names are wrong, or the model does not tell what it takes and there are no examples.
    DataError
        If the examples do not fit.
    """
    given = None if examples is None else dense_arrays(plain_arrays(examples))
    ports, structure = _inputs_of(model, given)
    ports = _renamed(ports, input_names)
    rows = _random_rows(ports) if given is None else _checked_rows(ports, structure, given)
    answer = model.predict_on_batch(keras.tree.pack_sequence_as(structure, rows))
    names = _given_names(output_names, len(keras.tree.flatten(answer)), "output") or _unique(
        _output_names(model, answer), "output"
    )
    signature = Signature(ports, names, structure)
    answers = {name: np.asarray(each) for name, each in signature.by_output(answer).items()}
    return signature, rows, answers


# ---- inputs


def _inputs_of(model: Any, given: Any) -> tuple[tuple[Port, ...], Any]:
    tensors = getattr(model, "inputs", None)
    if tensors:
        structure = tensors[0] if isinstance(model, keras.Sequential) else model.input
        return tuple(_port(tensor) for tensor in keras.tree.flatten(structure)), structure
    if given is not None:
        leaves = keras.tree.flatten(given)
        return tuple(Port("", (None, *leaf.shape[1:]), _dtype(leaf, model)) for leaf in leaves), given
    shape = (model.get_build_config() or {}).get("input_shape")
    if not shape or not all(size is None or isinstance(size, int) for size in shape):
        raise ParameterError(
            f"the model {model.name!r} does not tell the shapes of its inputs: pass some rows as examples=."
        )
    return (Port("", (None, *shape[1:]), str(model.input_dtype)),), 0


def _port(tensor: Any) -> Port:
    return Port(tensor.name, tuple(tensor.shape), keras.backend.standardize_dtype(tensor.dtype))


def _dtype(leaf: np.ndarray, model: Any) -> str:
    return str(model.input_dtype) if leaf.dtype.kind == "f" else str(leaf.dtype)


def _renamed(ports: Sequence[Port], names: Sequence[str] | None) -> tuple[Port, ...]:
    chosen = _given_names(names, len(ports), "input") or _unique([port.name for port in ports], "input")
    return tuple(Port(name, port.shape, port.dtype) for name, port in zip(chosen, ports, strict=True))


def _random_rows(ports: Sequence[Port]) -> list[np.ndarray]:
    """Standard normal values, or zeros and ones: numbers that any vocabulary holds."""
    rng, rows = np.random.default_rng(0), []
    for port in ports:
        shape = tuple(_FREE_SIZE if size is None else size for size in port.shape[1:])
        whole = (port.shape[0] or _ROWS, *shape)
        if "float" in port.dtype:
            # numpy knows no bfloat16, which Keras casts to by itself.
            kind = "float32" if port.dtype == "bfloat16" else port.dtype
            rows.append(rng.normal(size=whole).astype(kind))
        elif "int" in port.dtype or port.dtype == "bool":
            rows.append(rng.integers(0, 2, size=whole).astype(port.dtype))
        else:
            raise ParameterError(
                f"there are no random examples of the type {port.dtype!r}, which the input {port.name!r} takes: "
                "pass some rows as examples=."
            )
    return rows


def _checked_rows(ports: Sequence[Port], structure: Any, given: Any) -> list[np.ndarray]:
    names = [port.name for port in ports]
    if isinstance(given, dict) and not isinstance(structure, dict) and set(given) == set(names):
        leaves = [given[name] for name in names]
    else:
        _check_structure(structure, given)
        leaves = keras.tree.flatten(given)
    n_rows = check_rows(leaves)
    for port, leaf in zip(ports, leaves, strict=True):
        fits = len(leaf.shape) == len(port.shape) and all(
            size in (None, own) for size, own in zip(port.shape[1:], leaf.shape[1:], strict=True)
        )
        if not fits or (port.shape[0] is not None and n_rows < port.shape[0]):
            raise DataError(
                f"the examples of the input {port.name!r} must have the shape {port.shape}, got {leaf.shape}."
            )
    kept = ports[0].shape[0] or MOST_ROWS
    return [
        np.asarray(leaf).astype(port.dtype if leaf.dtype.kind in "fiub" else leaf.dtype, copy=False)
        for port, leaf in zip(ports, take_rows(leaves, np.arange(min(n_rows, kept))), strict=True)
    ]


def _check_structure(structure: Any, given: Any) -> None:
    if isinstance(structure, dict):
        fits = isinstance(given, dict) and set(given) == set(structure)
        wanted = f"a dict with the keys {', '.join(map(str, structure))}"
    else:
        wanted_leaves = len(keras.tree.flatten(structure))
        fits = not isinstance(given, dict) and len(keras.tree.flatten(given)) == wanted_leaves
        wanted = "one array" if wanted_leaves == 1 else f"a list of {wanted_leaves} arrays"
    if not fits:
        got = (
            f"a dict with {', '.join(map(str, given))}"
            if isinstance(given, dict)
            else f"{len(keras.tree.flatten(given))} arrays"
        )
        raise DataError(f"examples must be what model.predict takes, {wanted}; got {got}.")


# ---- names


def _output_names(model: Any, answer: Any) -> list[str]:
    flat = keras.tree.flatten(answer)
    if isinstance(answer, dict) and len(answer) == len(flat):
        return [str(name) for name in keras.tree.flatten({key: key for key in answer})]
    names = getattr(model, "output_names", None)
    if names is None and isinstance(model, keras.Sequential):
        names = [model.layers[-1].name]
    return list(names) if names is not None and len(names) == len(flat) else [""] * len(flat)


def _unique(names: Sequence[str], kind: str) -> tuple[str, ...]:
    """Names that every format takes; layers may be called what no signature can."""
    cleaned = [_NOT_NAME.sub("_", name) for name in names]
    cleaned = [
        name if _NAME.fullmatch(name) else f"{kind}_{name.strip('_') or i}" for i, name in enumerate(cleaned)
    ]
    counts, seen, found = Counter(cleaned), Counter[str](), []
    for name in cleaned:
        found.append(f"{name}_{seen[name]}" if counts[name] > 1 else name)
        seen[name] += 1
    return tuple(found)


def _given_names(names: Sequence[str] | None, count: int, kind: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    chosen = (names,) if isinstance(names, str) else tuple(names)
    if len(chosen) != count:
        raise ParameterError(
            f"{kind}_names must name every {kind} of the model: expected {count}, got {len(chosen)} ({', '.join(chosen)})."
        )
    wrong = [name for name in chosen if not _NAME.fullmatch(name)]
    if wrong or len(set(chosen)) < count:
        raise ParameterError(
            f"{kind}_names must be different names of letters, digits and underscores that begin with a letter; got "
            f"{', '.join(repr(name) for name in wrong or chosen)}."
        )
    return chosen
