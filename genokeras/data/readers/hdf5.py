"""HDF5 files of single cells: 10x ``.h5``, loom, MuData and h5ad; what a file holds decides, not its suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from scipy import sparse

from genokeras.data.readers.anndata import read_h5ad
from genokeras.data.readers.hdf5_check import check_readable
from genokeras.data.readers.matrix_market import expression_features, symbols_or_ids
from genokeras.data.readers.mudata import read_h5mu
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataFileError, GenoKerasError
from genokeras.support.checks import check_choice
from genokeras.support.wording import cause, duplicates, listed

# Values that a file may announce for each of its bytes: packed zeros take few.
_MOST_PER_BYTE = 2000
_GENE_NAMES = ("Gene", "gene_name", "gene_symbol", "Symbol", "Accession", "gene_id")
_CELL_NAMES = ("CellID", "cell_id", "obs_names", "barcode", "Barcode")


def read_hdf5(path: Path, options: ReadOptions) -> Table:
    """Read an HDF5 file of any of these formats.

    Raises
    ------
    DataFileError
        Where it is truncated, damaged, or of none of them.
    """
    if not h5py.is_hdf5(path):  # mudata writes a line of text before the signature
        raise DataFileError(
            f"{path.name} is truncated, damaged or no HDF5 file: unpack, write or copy it again."
        )
    check_readable(path)
    return read_checked_hdf5(path, options)


def read_checked_hdf5(path: Path, options: ReadOptions) -> Table:
    """As `read_hdf5`, of a file that neither hangs nor crashes the library.

    Raises
    ------
    DataFileError
    """
    with _opened(path) as file:
        _check_sizes(path, file)
        read, part = _reader_of(path, file)
        if part is not None:
            return read(path, part, options)
    return read(path, options)


def _reader_of(path: Path, file: h5py.File) -> tuple[Callable[..., Table], h5py.Group | None]:
    """Return the reader, and the part of the open file that it reads; None where it opens the file itself."""
    keys = set(file)
    if "mod" in keys:
        return read_h5mu, None
    if {"row_attrs", "col_attrs", "matrix"} <= keys:
        return _loom, file
    if isinstance(file.get("matrix"), h5py.Group):
        return _ten_x, file["matrix"]
    if {"obs", "var"} <= keys:
        return read_h5ad, None
    genomes = [key for key in file if isinstance(file[key], h5py.Group) and "barcodes" in file[key]]
    if len(genomes) == 1:
        return _ten_x, file[genomes[0]]
    raise DataFileError(
        f"{path.name} is an HDF5 file, but none of 10x, loom, MuData or h5ad: it holds {listed(sorted(keys), 8) or 'nothing'}."
    )


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (GenoKerasError, MemoryError):
        raise
    except Exception as error:  # h5py raises a different type for every kind of damage
        raise DataFileError(
            f"{path.name} is truncated, damaged or not what its groups say ({cause(error)}): write or copy it again."
        ) from error


def _ten_x(path: Path, group: h5py.Group, options: ReadOptions) -> Table:
    """Cells by genes, as Cell Ranger writes them: version 2 with ``genes``, version 3 with ``features``."""
    del options
    values = [_whole(group[key]) for key in ("data", "indices", "indptr")]
    n_genes, n_cells = (int(size) for size in group["shape"][:])
    x = sparse.csr_matrix(tuple(values), shape=(n_cells, n_genes))
    x.check_format(full_check=True)
    cells = _texts(group["barcodes"])
    if "features" in group:
        ids, symbols = (_texts(group["features"][key]) for key in ("id", "name"))
        kept, notes = expression_features(_texts(group["features"]["feature_type"]))
    else:
        ids, symbols = _texts(group["genes"]), _texts(group["gene_names"])
        kept, notes = np.ones(len(ids), dtype=bool), ()
    if len(cells) != n_cells or len(symbols) != n_genes or len(ids) != n_genes:
        raise DataFileError(
            f"{path.name} is damaged: its matrix has {n_genes} x {n_cells}, its names are others."
        )
    picked = np.flatnonzero(kept)
    names, more = symbols_or_ids([symbols[i] for i in picked], [ids[i] for i in picked])
    if not kept.all():
        x = x[:, picked]
    return Table(to_csr(x), names, tuple(cells), path.name, notes=(*notes, *more))


def _loom(path: Path, file: h5py.File, options: ReadOptions) -> Table:
    """Genes in rows, cells in columns; attributes of cells can be the target."""
    matrices: dict[str, Callable[[], h5py.Dataset]] = {"matrix": lambda: file["matrix"]}
    matrices |= {name: lambda name=name: file["layers"][name] for name in file.get("layers", ())}
    chosen = options.layer or "matrix"
    check_choice(chosen, f"layer (of {path.name})", tuple(matrices))
    x = to_float32(_whole(matrices[chosen]()).T)
    if x.ndim != 2:
        raise DataFileError(f"{path.name} is damaged: its matrix has {x.ndim} dimensions.")
    attributes = {name: _column(values) for name, values in file["col_attrs"].items()}
    annotations = {name: values for name, values in attributes.items() if values.shape == (x.shape[0],)}
    genes = _first_unique(_GENE_NAMES, {name: _column(v) for name, v in file["row_attrs"].items()})
    cells = _first_unique(_CELL_NAMES, annotations)
    return Table(x, genes, cells, path.name, annotations)


def _first_unique(usual: tuple[str, ...], attributes: dict[str, np.ndarray]) -> tuple[str, ...] | None:
    """Return the first of the usual attributes, one without repeats where there is one."""
    there = [tuple(map(str, attributes[name])) for name in usual if name in attributes]
    return next((names for names in there if not duplicates(names)), there[0] if there else None)


def _column(values: h5py.Dataset) -> np.ndarray:
    is_text = h5py.check_string_dtype(values.dtype) is not None or values.dtype.kind == "S"
    return np.array(_texts(values), dtype=object) if is_text else _whole(values)


def _texts(values: h5py.Dataset) -> list[str]:
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in _whole(values).tolist()
    ]


def _whole(values: h5py.Dataset) -> np.ndarray:
    return np.asarray(values[()])


def _check_sizes(path: Path, file: h5py.File) -> None:
    """Raise where a part is announced to be far larger than the file: reading it would take all memory."""
    size = path.stat().st_size

    def check(name: str, item: h5py.Group | h5py.Dataset) -> None:
        announced = item.nbytes if isinstance(item, h5py.Dataset) else 0
        if announced > _MOST_PER_BYTE * size:
            raise DataFileError(
                f"{path.name} is damaged: {name} announces {announced:,} bytes in a file of {size:,}. Write or copy it again."
            )
        if isinstance(item, h5py.Group) and "indptr" in item and "shape" in item.attrs:
            shape = np.asarray(item.attrs["shape"])
            if len(item["indptr"]) - 1 not in shape:
                raise DataFileError(
                    f"{path.name} is damaged: {name} announces the shape {shape.tolist()} and holds {len(item['indptr']) - 1} rows "
                    "or columns. Write or copy it again."
                )

    file.visititems(check)
