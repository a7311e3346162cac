"""Seconds to read large files, each beside the parser alone; made-up data in a folder that goes away."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io
from scipy import sparse

from genokeras.data import load_dataset
from genokeras.errors import DataError

GENES, SAMPLES, CELLS, CELL_GENES, TEXT_COLUMNS, TEXT_ROWS = 60_000, 500, 10_000, 30_000, 7_129, 72
_DENSITY = 0.05


def main(arguments: argparse.Namespace) -> None:
    """Print a line for each way to read each file."""
    del arguments
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = write_text(folder / "genes.tsv.gz", GENES, SAMPLES)
        _timed(
            f"{GENES:,} x {SAMPLES} tsv.gz, pandas alone",
            lambda: pd.read_csv(text, sep="\t", low_memory=False),
        )
        with contextlib.suppress(ImportError):
            import polars as pl

            _timed("  Polars alone", lambda: pl.read_csv(text, separator="\t", infer_schema_length=1000))
        _timed("  load_dataset", lambda: load_dataset(text, transposed=True))
        cells = write_cells(folder / "cells", CELLS, CELL_GENES)
        _timed(
            f"10x folder, {CELLS:,} cells x {CELL_GENES:,} genes, scipy.io.mmread alone",
            lambda: scipy.io.mmread(cells / "matrix.mtx.gz"),
        )
        _timed("  load_dataset", lambda: load_dataset(cells))
        words = write_words(folder / "words.csv", TEXT_ROWS, TEXT_COLUMNS)
        _timed(f"{TEXT_ROWS} x {TEXT_COLUMNS:,} of text, pandas alone", lambda: pd.read_csv(words))
        _timed("  load_dataset, which refuses it", lambda: _refused(words))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(f"peak memory {peak:,.0f} MiB")


def write_text(path: Path, n_genes: int, n_samples: int) -> Path:
    """Write made-up intensities, genes in rows."""
    rng = np.random.default_rng(0)
    with gzip.open(path, "wt", compresslevel=1) as handle:
        handle.write("gene\t" + "\t".join(f"S{i}" for i in range(n_samples)) + "\n")
        for gene in range(n_genes):
            values = np.round(rng.gamma(0.5, 20, n_samples), 2).tolist()
            handle.write(f"ENSG{gene:011d}\t" + "\t".join(map(str, values)) + "\n")
    return path


def write_cells(folder: Path, n_cells: int, n_genes: int) -> Path:
    """Write a 10x folder of made-up counts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    matrix = sparse.random(n_genes, n_cells, _DENSITY, "coo", np.float32, rng)
    matrix.data = np.ceil(5 * matrix.data)
    scipy.io.mmwrite(folder / "matrix.mtx", matrix.astype(np.int32))
    _pack(folder / "matrix.mtx", (folder / "matrix.mtx").read_bytes())
    (folder / "matrix.mtx").unlink()
    _pack(folder / "barcodes.tsv", "".join(f"CELL{i}-1\n" for i in range(n_cells)).encode())
    features = "".join(f"ENSG{i:011d}\tG{i}\tGene Expression\n" for i in range(n_genes))
    _pack(folder / "features.tsv", features.encode())
    return folder


def write_words(path: Path, n_rows: int, n_columns: int) -> Path:
    """Write a table of text alone."""
    row = ",".join(f"word{i}" for i in range(n_columns))
    path.write_text(",".join(f"c{i}" for i in range(n_columns)) + "\n" + f"{row}\n" * n_rows)
    return path


def _pack(path: Path, data: bytes) -> None:
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data, 1))


def _refused(path: Path) -> None:
    try:
        load_dataset(path)
    except DataError:
        return
    raise AssertionError(f"{path.name} was read")


@contextlib.contextmanager
def _clock(what: str) -> Iterator[None]:
    start, busy = time.perf_counter(), time.process_time()
    yield
    print(
        f"{what}: {time.perf_counter() - start:.1f} s ({time.process_time() - busy:.1f} s of processor)",
        flush=True,
    )


def _timed(what: str, read: Callable[[], Any]) -> None:
    with _clock(what):
        read()
