"""What a net reads and gives: names and shapes."""

from __future__ import annotations

from typing import Any, TypeAlias

import keras

Shape: TypeAlias = tuple[int | None, ...]


def output_shapes(net: keras.Model) -> dict[str, Shape]:
    """The shapes of a net's outputs by name, in the order of ``keras.tree.flatten``.

    Parameters
    ----------
    net : keras.Model

    Returns
    -------
    dict of str to tuple
        With the axis of the rows. Empty where the net does not know them before it is called, and where the outputs are nested
        deeper than in a list or a dict.
    """
    flat = list(getattr(net, "outputs", None) or [])
    struct = _struct(net, "output", flat)
    if isinstance(struct, dict):
        return _named_shapes(struct)
    names = getattr(net, "output_names", None) or [layer.name for layer in net.layers[-1:]]
    # A layer with several outputs gives all of them its name.
    known = len(set(names)) == len(flat)
    return {name: tuple(one.shape) for name, one in zip(names, flat, strict=True)} if known else {}


def input_shapes(net: keras.Model) -> dict[str, Shape]:
    """The shapes that a net reads by name, in the order of ``keras.tree.flatten``.

    Parameters
    ----------
    net : keras.Model

    Returns
    -------
    dict of str to tuple
        With the axis of the rows. Empty where the net does not know them before it is called, where it can do without an input,
        and where the inputs are nested deeper than in a list or a dict.
    """
    flat = list(getattr(net, "inputs", None) or [])
    struct = _struct(net, "input", flat)
    if any(getattr(layer, "optional", False) for layer in net.layers):
        return {}
    if isinstance(struct, dict):
        return _named_shapes(struct)
    return {one.name: tuple(one.shape) for one in flat}


def same_shape(found: Shape, expected: Shape) -> bool:
    """Whether the axes have the same lengths, where those are known."""
    return len(found) == len(expected) and all(
        size in (None, one) for one, size in zip(found, expected, strict=True)
    )


def like_shape(found: Shape, expected: Shape) -> bool:
    """As `same_shape`, but one of them may lack a last axis of length 1, which Keras adds or removes."""
    if len(found) == len(expected) + 1 and found[-1] == 1:
        found = found[:-1]
    elif len(expected) == len(found) + 1 and expected[-1] == 1:
        expected = expected[:-1]
    return same_shape(found, expected)


def _named_shapes(struct: dict[str, Any]) -> dict[str, Shape]:
    nested = any(isinstance(one, list | tuple | dict) for one in struct.values())
    return {} if nested else {str(key): tuple(struct[key].shape) for key in sorted(struct)}


def _struct(net: keras.Model, which: str, flat: list[Any]) -> Any:
    """Outputs or inputs as the net was built with them; `flat` for a Sequential."""
    try:
        return getattr(net, which)
    except (AttributeError, ValueError):
        return flat
