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
from genokeras.errors import DataError, DataFileError, GenoKerasError
from genokeras.support.checks import check_choice
from genokeras.support.wording import cause, counted, duplicates, listed

# Values that a file may announce for each of its bytes: packed zeros take few.
_MOST_PER_BYTE = 2000
# What the attributes of a loom file are called, in any case; anndata writes var_names and obs_names.
_GENE_NAMES = (
    *(
        "gene",
        "var_names",
        "gene_name",
        "gene_names",
        "gene_symbol",
        "gene_symbols",
        "genes",
        "symbol",
        "genename",
    ),
    *(
        "accession",
        "gene_id",
        "gene_ids",
        "ensembl_id",
        "ensembl",
        "feature_name",
        "name",
        "names",
        "index",
        "_index",
    ),
)
_CELL_NAMES = (
    *("cellid", "cell_id", "obs_names", "barcode", "barcodes", "cell_barcode", "cell_name", "cell_names"),
    *("cells", "index", "_index"),
)


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
    _check_asked(options.columns, attributes, x.shape[0], path.name)
    genes = _first_unique(_GENE_NAMES, _each(file["row_attrs"], x.shape[1]))
    cells = _first_unique(_CELL_NAMES, annotations)
    notes = []
    if genes is None:
        notes.append(_nameless("Genes", "Gene or var_names", "row_attrs", file["row_attrs"]))
    if cells is None:
        notes.append(_nameless("Samples", "CellID or obs_names", "col_attrs", file["col_attrs"]))
    return Table(x, genes, cells, path.name, annotations, notes=tuple(notes))


def _each(group: h5py.Group, n: int) -> dict[str, np.ndarray]:
    """The attributes that have one value for each of `n`."""
    return {name: _column(values) for name, values in group.items() if values.shape == (n,)}


def _check_asked(asked: tuple[str, ...], attributes: dict[str, np.ndarray], n: int, source: str) -> None:
    """Raise where an attribute that is the target, or the groups, has not one value for each cell."""
    for name in asked:
        if name in attributes and attributes[name].shape != (n,):
            raise DataError(
                f"{source}: expected one value for each of {counted(n, 'cell')} in the attribute {name!r}, got the shape "
                f"{attributes[name].shape}. Name another one, or pass the values as an array."
            )


def _nameless(what: str, usual: str, where: str, group: h5py.Group) -> str:
    there = listed(sorted(group), 8) or "nothing"
    return (
        f"{what} have no names: {where} has none of the usual attributes, such as {usual}; it holds {there}."
    )


def _first_unique(usual: tuple[str, ...], attributes: dict[str, np.ndarray]) -> tuple[str, ...] | None:
    """Return the first of the usual attributes, in any case; one without repeats where there is one."""
    by_lower = {name.lower(): attributes[name] for name in reversed(attributes)}
    there = [tuple(map(str, by_lower[name].tolist())) for name in usual if name in by_lower]
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
