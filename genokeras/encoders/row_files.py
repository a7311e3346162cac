"""Samples, and the row space of tables, as the arrays of an npz file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.data.block import Block
from genokeras.encoders.encoder import Rows, n_rows
from genokeras.encoders.table import SplitView, TableEncoder, by_sample
from genokeras.features import Rescaling, RowSpace

# ---- texts have no fixed size: they are laid end to end


def packed_rows(rows: Rows) -> dict[str, np.ndarray]:
    """Samples as arrays without objects."""
    packed: dict[str, np.ndarray] = {}
    for name, values in rows.items():
        if values.dtype != object:
            packed[name] = values
            continue
        encoded = [str(value).encode("utf-8", "surrogatepass") for value in values]
        packed[f"{name}/bytes"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        packed[f"{name}/ends"] = np.cumsum([len(item) for item in encoded])
    return packed


def unpacked_rows(content: Mapping[str, np.ndarray]) -> Rows:
    """The inverse of :func:`packed_rows`; ValueError where there are no samples."""
    rows: dict[str, Any] = {}
    for name, values in content.items():
        if name.endswith("/ends"):
            whole = content[name.removesuffix("ends") + "bytes"].tobytes()
            starts = [0, *values.tolist()[:-1]]
            parts = [
                whole[start:end].decode("utf-8", "surrogatepass")
                for start, end in zip(starts, values.tolist(), strict=True)
            ]
            rows[name.removesuffix("/ends")] = np.array(parts, dtype=object)
        elif not name.endswith("/bytes"):
            rows[name] = values
    if not rows:
        raise ValueError(f"there are no samples among {sorted(content)}")
    n_rows(rows)
    return rows


# ---- tables


def table_to_arrays(encoder: TableEncoder, rows: Rows) -> dict[str, np.ndarray]:
    """Coordinates and row spaces, by view and fold; a basis that folds or views share is there once."""
    arrays: dict[str, np.ndarray] = {}
    written: dict[int, str] = {}
    for name, spaces in encoder.spaces.items():
        arrays |= _view_arrays(name, SplitView(spaces, rows[name]), 0, written)
    return arrays


def table_from_arrays(
    arrays: Mapping[str, np.ndarray],
    feature_names: tuple[str, ...],
    medians: np.ndarray | None,
    blocks: tuple[Block, ...] = (),
) -> tuple[TableEncoder, Rows]:
    """The inverse of :func:`table_to_arrays`; what it does not hold is given."""
    spaces: dict[str, tuple[RowSpace, ...]] = {}
    rows: Rows = {}
    read: dict[str, RowSpace] = {}
    for name in [key.removesuffix("/z") for key in arrays if key.endswith("/z")]:
        spaces[name], rows[name] = _read_view(arrays, name, 0, read)
    return TableEncoder(feature_names, spaces, medians, blocks), rows


def view_to_arrays(name: str, view: SplitView, earlier: Sequence[RowSpace] = ()) -> dict[str, np.ndarray]:
    """A view in one split; bases of earlier spaces, of another split, are not written again."""
    written: dict[int, str] = {}
    for number, space in enumerate(earlier):
        written.setdefault(id(space.basis), f"{name}/{number}")
    return _view_arrays(name, view, len(earlier), written)


def view_from_arrays(
    arrays: Mapping[str, np.ndarray], name: str, earlier: Sequence[RowSpace] = ()
) -> SplitView:
    """The inverse of :func:`view_to_arrays`."""
    read = {f"{name}/{number}": space for number, space in enumerate(earlier)}
    return _read_view(arrays, name, len(earlier), read)


def _view_arrays(name: str, view: SplitView, first: int, written: dict[int, str]) -> dict[str, np.ndarray]:
    """A view whose spaces are numbered from ``first``; ``written`` says by the id of a basis where it was written first."""
    arrays = {f"{name}/z": by_sample(view.rows)}
    for number, space in enumerate(view.spaces, start=first):
        place = f"{name}/{number}"
        there = place if space.basis is None else written.setdefault(id(space.basis), place)
        arrays |= _space_arrays(place, space, None if there == place else there)
    return arrays


def _space_arrays(place: str, space: RowSpace, shared: str | None) -> dict[str, np.ndarray]:
    arrays = {"scale": np.array(space.scale)}
    if space.rotation is not None:
        arrays["rotation"] = space.rotation
    if shared is not None:
        view, number = shared.rsplit("/", 1)
        of_view, _ = place.rsplit("/", 1)
        arrays["shared"] = np.array(int(number))
        if view != of_view:
            arrays["shared_view"] = np.array(view)
    else:
        arrays |= {"columns": space.columns, "mean": space.mean, "inverse_sd": space.inverse_sd}
        if space.basis is not None:
            arrays["basis"] = space.basis
        if space.rescaling is not None:
            arrays |= _rescaling_arrays(space.rescaling)
    return {f"{place}/{name}": array for name, array in arrays.items()}


def _read_view(
    arrays: Mapping[str, np.ndarray], name: str, first: int, read: dict[str, RowSpace]
) -> SplitView:
    """The inverse of :func:`_view_arrays`; ``read`` has the spaces read before by their places, and gets these."""
    z = arrays[f"{name}/z"]
    places = [f"{name}/{number}" for number in range(first, first + len(z))]
    for place in places:
        read[place] = _read_space(arrays, name, f"{place}/", read)
    return SplitView(tuple(read[place] for place in places), by_sample(z))


def _read_space(
    arrays: Mapping[str, np.ndarray], view: str, prefix: str, read: Mapping[str, RowSpace]
) -> RowSpace:
    scale, rotation = float(arrays[prefix + "scale"]), arrays.get(prefix + "rotation")
    if prefix + "shared" in arrays:
        shared = f"{arrays.get(prefix + 'shared_view', view)}/{int(arrays[prefix + 'shared'])}"
        return replace(read[shared], scale=scale, rotation=rotation)
    columns, mean, inverse_sd = (arrays[prefix + name] for name in ("columns", "mean", "inverse_sd"))
    rescaling = _read_rescaling(arrays, prefix)
    return RowSpace(columns, mean, inverse_sd, arrays.get(prefix + "basis"), scale, rotation, rescaling)


def _rescaling_arrays(rescaling: Rescaling) -> dict[str, np.ndarray]:
    # Runs from before there were others have logarithms, as factors alone.
    arrays = {"log_factors": rescaling.factors}
    if rescaling.kind != "log":
        arrays |= {"rescaling": np.array(rescaling.kind), "reference": rescaling.reference}
    if rescaling.ranges is not None:
        arrays["ranges"] = np.array(rescaling.ranges)
    return arrays


def _read_rescaling(arrays: Mapping[str, np.ndarray], prefix: str) -> Rescaling | None:
    factors = arrays.get(prefix + "log_factors")
    if factors is None:
        return None
    held = arrays.get(prefix + "ranges")
    ranges = None if held is None else tuple((int(start), int(stop)) for start, stop in held)
    if prefix + "rescaling" not in arrays:
        return Rescaling("log", factors, ranges=ranges)
    kind: Any = str(arrays[prefix + "rescaling"])
    return Rescaling(kind, factors, arrays[prefix + "reference"], ranges)
