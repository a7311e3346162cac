"""Matrix Market triplets (``.mtx``), alone or in a 10x folder with ``barcodes.tsv`` and ``features.tsv``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io
from scipy import sparse

from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import PACKED_SUFFIXES, bare_name, open_bytes, open_text
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataFileError
from genokeras.support.wording import cause, counted, listed

_FEATURES = ("features.tsv", "genes.tsv")


def find_matrix(folder: Path) -> Path | None:
    """Return the matrix of a 10x folder, or None."""
    found = [path for path in sorted(folder.iterdir()) if bare_name(path).endswith("matrix.mtx")]
    if len(found) > 1:
        raise DataFileError(
            f"{folder} holds several matrices: {listed((path.name for path in found), 5)}. Pass one of the files."
        )
    return found[0] if found else None


def read_mtx(path: Path, options: ReadOptions) -> Table:
    """Read triplets; with barcodes and features beside them, cells become rows, as 10x means it.

    Raises
    ------
    DataFileError
        Where the file is damaged, or the names beside it are too many or too few.
    """
    matrix = _matrix(path)
    stem = path.name[: len(bare_name(path))]
    prefix = stem[: len(stem) - len("matrix.mtx")] if stem.endswith("matrix.mtx") else None
    barcodes = None if prefix is None else _beside(path, prefix, ("barcodes.tsv",))
    features = None if prefix is None else _beside(path, prefix, _FEATURES)
    if barcodes is None or features is None:
        if options.transposed:
            matrix = matrix.T
        note = "No barcodes.tsv and features.tsv lie beside the matrix: samples and genes have no names."
        return Table(_float32(matrix), None, None, path.name, notes=(note,))
    cells, genes = _names(barcodes).iloc[:, 0], _names(features)
    _check_sizes(path, matrix.shape, len(genes), len(cells))
    kept, notes = _expression_only(genes)
    x = _float32(matrix.T)
    if not kept.all():
        x = _float32(x[:, np.flatnonzero(kept)])
    symbols = genes.iloc[:, min(1, genes.shape[1] - 1)][kept]
    names, more = symbols_or_ids(symbols.tolist(), genes.iloc[:, 0][kept].tolist())
    return Table(x, names, tuple(cells), path.name, notes=(*notes, *more))


def symbols_or_ids(symbols: list[str], ids: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return gene symbols, with the id behind those that repeat, as Seurat and scanpy make them unique; and a note."""
    counts = pd.Series(symbols).value_counts()
    repeated = set(counts[counts > 1].index)
    names = tuple(
        f"{symbol}_{own}" if symbol in repeated and own != symbol else symbol
        for symbol, own in zip(symbols, ids, strict=True)
    )
    if not repeated or names == tuple(symbols):
        return names, ()
    text = listed(sorted(repeated), 4)
    return names, (f"Symbols that several genes share have the id of the gene behind them: {text}.",)


def _matrix(path: Path) -> Any:
    with text_errors(path), open_bytes(path) as handle:
        try:
            return scipy.io.mmread(handle)
        except (ValueError, OverflowError, TypeError) as error:
            raise DataFileError(
                f"{path.name} is truncated, damaged or no Matrix Market file ({cause(error)}): copy it again."
            ) from error


def _float32(matrix: Any) -> Any:
    return to_csr(matrix) if sparse.issparse(matrix) else to_float32(np.asarray(matrix))


def _beside(path: Path, prefix: str, names: tuple[str, ...]) -> Path | None:
    candidates = (
        path.with_name(prefix + name + packed) for name in names for packed in ("", *PACKED_SUFFIXES)
    )
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _names(path: Path) -> pd.DataFrame:
    with text_errors(path), open_text(path) as handle:
        return pd.read_csv(handle, sep="\t", header=None, dtype=str, keep_default_na=False, quoting=3)


def _check_sizes(path: Path, shape: tuple[int, int], n_genes: int, n_cells: int) -> None:
    if shape != (n_genes, n_cells):
        raise DataFileError(
            f"{path.name} is {shape[0]} x {shape[1]}, and the files beside it name {n_genes} genes and {n_cells} cells: "
            "they do not belong together, or one is truncated."
        )


def _expression_only(genes: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Antibodies and guides, which 10x writes below the genes, are left out where there are genes."""
    every = np.ones(len(genes), dtype=bool)
    if genes.shape[1] < 3:
        return every, ()
    return expression_features(genes.iloc[:, 2].tolist())


def expression_features(kinds: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a mask of the features that are genes, all where none is marked so, and a note on the others."""
    genes = np.array([kind == "Gene Expression" for kind in kinds])
    if genes.all() or not genes.any():
        return np.ones(len(kinds), dtype=bool), ()
    others = dict.fromkeys(kind for kind in kinds if kind != "Gene Expression")
    left_out = counted(int((~genes).sum()), "feature that is no gene was", "features that are no genes were")
    return genes, (f"{left_out} left out: {listed(others)}.",)
