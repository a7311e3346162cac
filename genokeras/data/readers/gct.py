"""GCT 1.2 and 1.3, the Broad Institute's text format with genes in rows."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from genokeras.data.numerals import ROUND_TRIP
from genokeras.data.readers.columns import typed_column
from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.large_text import MISSING
from genokeras.data.readers.opening import open_text
from genokeras.data.readers.rows import genes_in_rows
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError


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


def is_gct(start: Sequence[str]) -> bool:
    """Return whether the first lines of a text are those of a GCT file."""
    sizes = start[1].split() if len(start) > 1 else []
    return bool(sizes) and start[0].strip() in ("#1.2", "#1.3") and all(map(_is_size, sizes))


def _is_size(text: str) -> bool:
    # Superscripts are digits, too, and Python refuses to read thousands of them.
    return text.isdecimal() and len(text) < 19


def read_gct(path: Path, options: ReadOptions) -> Table:
    """Read a GCT file; its samples become rows, and the sample annotations of version 1.3 can hold the
    target.

    Raises
    ------
    DataFileError
        Where the file is no GCT 1.2 or 1.3, or holds other numbers of genes or samples than it announces.
    """
    with text_errors(path), open_text(path) as handle:
        preamble = _preamble(path, handle)
        lines = iter(handle.readline, "")
        rows = list(csv.reader(itertools.islice(lines, preamble.n_sample_rows), delimiter="\t"))
        _check_first_gene(path, handle, preamble)
        genes = pd.read_csv(
            handle, sep="\t", header=None, dtype={0: str}, low_memory=False, float_precision=ROUND_TRIP
        )
    if genes.shape != (preamble.n_genes, len(preamble.names)):
        raise DataFileError(
            f"{path.name} announces {preamble.n_genes} genes x {preamble.n_samples} samples and holds "
            f"{genes.shape[0]} x {genes.shape[1] - preamble.first_sample}: the file is truncated or damaged."
        )
    samples = preamble.names[preamble.first_sample :]
    values = genes.iloc[:, preamble.first_sample :]
    gene_names = genes.iloc[:, 0].astype(str)
    return genes_in_rows(
        values, gene_names, samples, path.name, annotations=_annotations(path, rows, preamble)
    )


def _preamble(path: Path, handle: TextIO) -> _Preamble:
    version = handle.readline().strip()
    sizes = handle.readline().split()
    names = tuple(name.strip() for name in handle.readline().rstrip("\r\n").split("\t"))
    if version not in ("#1.2", "#1.3"):
        raise DataFileError(
            f"{path.name} is no GCT file: expected '#1.2' or '#1.3' on line 1, got {version[:40]!r}."
        )
    expected = 2 if version == "#1.2" else 4
    if len(sizes) < expected or not all(map(_is_size, sizes[:expected])):
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


def _check_first_gene(path: Path, handle: TextIO, preamble: _Preamble) -> None:
    """See that the row of the first gene is no longer than announced: pandas takes a second for 10,000 columns."""
    start = handle.tell()
    line = next((line for line in iter(handle.readline, "") if line.strip(" \r\n")), "")
    handle.seek(start)
    found = max(map(len, csv.reader([line], delimiter="\t")), default=0)
    if found > len(preamble.names):
        raise DataFileError(
            f"{path.name} announces {preamble.n_samples} samples and its first gene has {found - preamble.first_sample} "
            "values: the file is damaged."
        )


def _annotations(path: Path, rows: list[list[str]], preamble: _Preamble) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for row in rows:
        if len(row) != len(preamble.names):
            raise DataFileError(
                f"{path.name}: expected {len(preamble.names)} fields in each row of sample annotations, got {len(row)}: the file is "
                "truncated or damaged."
            )
        values = row[preamble.first_sample :]
        found[row[0]] = typed_column([None if value in MISSING else value for value in values])
    return found
