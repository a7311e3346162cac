"""Samples, and the row space of tables, as the arrays of an npz file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genokeras.encoders.encoder import Rows, n_rows
from genokeras.encoders.table import SplitView, TableEncoder, by_sample
from genokeras.features import RowSpace

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
    """The inverse of :func:`packed_rows`."""
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
    n_rows(rows)
    return rows


# ---- tables


def table_to_arrays(encoder: TableEncoder, rows: Rows) -> dict[str, np.ndarray]:
    """Coordinates and row spaces, by view and fold; a basis that folds share is there once."""
    arrays: dict[str, np.ndarray] = {}
    for name, spaces in encoder.spaces.items():
        arrays |= view_to_arrays(name, SplitView(spaces, rows[name]))
    return arrays


def table_from_arrays(
    arrays: Mapping[str, np.ndarray], feature_names: tuple[str, ...], medians: np.ndarray | None
) -> tuple[TableEncoder, Rows]:
    """The inverse of :func:`table_to_arrays`."""
    spaces: dict[str, tuple[RowSpace, ...]] = {}
    rows: Rows = {}
    for name in [key.removesuffix("/z") for key in arrays if key.endswith("/z")]:
        spaces[name], rows[name] = view_from_arrays(arrays, name)
    return TableEncoder(feature_names, spaces, medians), rows


def view_to_arrays(name: str, view: SplitView, earlier: Sequence[RowSpace] = ()) -> dict[str, np.ndarray]:
    """A view in one split; bases of earlier spaces, of another split, are not written again."""
    arrays, known = {f"{name}/z": by_sample(view.rows)}, dict[int, int]()
    for number, space in enumerate([*earlier, *view.spaces]):
        shared = known.setdefault(id(space.basis), number) if space.basis is not None else number
        if number >= len(earlier):
            arrays |= _space_arrays(f"{name}/{number}/", space, None if shared == number else shared)
    return arrays


def view_from_arrays(
    arrays: Mapping[str, np.ndarray], name: str, earlier: Sequence[RowSpace] = ()
) -> SplitView:
    """The inverse of :func:`view_to_arrays`."""
    z, read = arrays[f"{name}/z"], list(earlier)
    for number in range(len(earlier), len(earlier) + len(z)):
        read.append(_read_space(arrays, f"{name}/{number}/", read))
    return SplitView(tuple(read[len(earlier) :]), by_sample(z))


def _space_arrays(prefix: str, space: RowSpace, shared: int | None) -> dict[str, np.ndarray]:
    arrays = {"scale": np.array(space.scale)}
    if space.rotation is not None:
        arrays["rotation"] = space.rotation
    if shared is not None:
        arrays["shared"] = np.array(shared)
    else:
        arrays |= {"columns": space.columns, "mean": space.mean, "inverse_sd": space.inverse_sd}
        if space.basis is not None:
            arrays["basis"] = space.basis
        if space.log_factors is not None:
            arrays["log_factors"] = space.log_factors
    return {prefix + name: array for name, array in arrays.items()}


def _read_space(arrays: Mapping[str, np.ndarray], prefix: str, earlier: list[RowSpace]) -> RowSpace:
    scale, rotation = float(arrays[prefix + "scale"]), arrays.get(prefix + "rotation")
    if prefix + "shared" in arrays:
        return replace(earlier[int(arrays[prefix + "shared"])], scale=scale, rotation=rotation)
    columns, mean, inverse_sd = (arrays[prefix + name] for name in ("columns", "mean", "inverse_sd"))
    basis, log_factors = (arrays.get(prefix + name) for name in ("basis", "log_factors"))
    return RowSpace(columns, mean, inverse_sd, basis, scale, rotation, log_factors)
