"""GCT 1.2 and 1.3, the Broad Institute's text format with genes in rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.frames import NamedFrame, table_from_frame
from genokeras.data.readers.delimited import open_text, text_errors
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError, ParameterError


@dataclass(frozen=True)
class _Preamble:
    n_genes: int
    n_samples: int
    n_gene_columns: int
    n_sample_rows: int
    names: tuple[str, ...]

    @property
    def first_sample(self) -> int:
        return 1 + self.n_gene_columns


def read_gct(path: Path, options: ReadOptions) -> Table:
    """Read a GCT file; its samples become rows, and the sample annotations of version 1.3 can hold the
    target.

    Raises
    ------
    DataFileError
        Where the file is no GCT 1.2 or 1.3, or holds fewer genes or samples than it announces.
    """
    if options.transposed:
        raise ParameterError("transposed=True is for plain tables; a GCT file always holds genes in rows.")
    with text_errors(path):
        preamble = _preamble(path)
        sample_rows = _read(path, 3, preamble.n_sample_rows, str) if preamble.n_sample_rows else None
        genes = _read(path, 3 + preamble.n_sample_rows, None, {0: str})
    if genes.shape != (preamble.n_genes, len(preamble.names)):
        raise DataFileError(
            f"{path.name} announces {preamble.n_genes} genes x {preamble.n_samples} samples and holds "
            f"{genes.shape[0]} x {genes.shape[1] - preamble.first_sample}: the file is truncated or damaged."
        )
    samples = preamble.names[preamble.first_sample :]
    named = NamedFrame(genes.iloc[:, preamble.first_sample :].set_axis(range(len(samples)), axis=1), samples)
    gene_names = tuple(genes.iloc[:, 0].astype(str))
    table = _flipped(named, gene_names, path.name)
    return Table(table.x, gene_names, samples, path.name, _annotations(sample_rows, preamble))


def _flipped(named: NamedFrame, gene_names: tuple[str, ...], source: str) -> Table:
    flipped = named.frame.T.reset_index(drop=True).set_axis(range(len(gene_names)), axis=1)
    return table_from_frame(
        NamedFrame(flipped, gene_names, named.names), ReadOptions(), source, names_given=False
    )


def _preamble(path: Path) -> _Preamble:
    with open_text(path) as handle:
        version = handle.readline().strip()
        sizes = handle.readline().split()
        names = tuple(name.strip() for name in handle.readline().rstrip("\r\n").split("\t"))
    if version not in ("#1.2", "#1.3"):
        raise DataFileError(
            f"{path.name} is no GCT file: expected '#1.2' or '#1.3' on line 1, got {version[:40]!r}."
        )
    expected = 2 if version == "#1.2" else 4
    if len(sizes) < expected or not all(size.isdigit() for size in sizes[:expected]):
        raise DataFileError(f"{path.name}: expected {expected} sizes on line 2, got {' '.join(sizes)!r}.")
    n_genes, n_samples, n_gene_columns, n_sample_rows = (*map(int, sizes[:expected]), 1, 0)[:4]
    preamble = _Preamble(n_genes, n_samples, n_gene_columns, n_sample_rows, names)
    if len(names) != preamble.first_sample + n_samples:
        raise DataFileError(
            f"{path.name} announces {n_samples} samples and line 3 names "
            f"{len(names) - preamble.first_sample}: "
            "the file is truncated or damaged."
        )
    return preamble


def _read(path: Path, skip: int, rows: int | None, dtype: Any) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep="\t",
        header=None,
        skiprows=skip,
        nrows=rows,
        dtype=dtype,
        low_memory=False,
        encoding="utf-8-sig",
        compression="gzip" if path.name.lower().endswith(".gz") else None,
    )


def _annotations(rows: pd.DataFrame | None, preamble: _Preamble) -> dict[str, np.ndarray]:
    if rows is None:
        return {}
    found: dict[str, np.ndarray] = {}
    for i in range(len(rows)):
        values = rows.iloc[i, preamble.first_sample :].reset_index(drop=True)
        numbers = pd.to_numeric(values, errors="coerce")
        whole = numbers.notna().sum() == values.notna().sum()
        found[str(rows.iat[i, 0])] = (numbers if whole else values).to_numpy()
    return found
