"""Which function reads which file: its suffix says, and for text and HDF5 its content."""

from __future__ import annotations

import os
from pathlib import Path

from genokeras.data.readers.counts import read_feature_counts, read_sample_counts, tool_of
from genokeras.data.readers.delimited import first_lines, read_delimited
from genokeras.data.readers.folders import read_folder
from genokeras.data.readers.gct import is_gct, read_gct
from genokeras.data.readers.geo import is_series_matrix, read_series_matrix
from genokeras.data.readers.hdf5 import read_hdf5
from genokeras.data.readers.matrix_market import read_mtx
from genokeras.data.readers.npz import read_npz
from genokeras.data.readers.opening import HDF5, bare_name, check_file, first_bytes, unpacking_errors
from genokeras.data.readers.parquet import read_parquet
from genokeras.data.readers.spreadsheet import read_xlsx
from genokeras.data.table import Reader, ReadOptions, Table
from genokeras.errors import DataFileError, ParameterError
from genokeras.support.wording import cause


def read_text(path: Path, options: ReadOptions) -> Table:
    """Read a text by what its first lines say it is; a plain table where they say nothing."""
    start = first_lines(path)
    if is_gct(start):
        return read_gct(path, options)
    if is_series_matrix(start):
        return read_series_matrix(path, options)
    tool = tool_of(start)
    if tool == "featureCounts":
        return read_feature_counts(path, options)
    if tool is not None:
        return read_sample_counts(path, tool, options)
    _check_other_kind(path, start)
    return read_delimited(path, options)


TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".sf", ".counts", ".count", ".results")
HDF5_SUFFIXES = (".h5", ".hdf5", ".h5ad", ".h5mu", ".loom")
_READERS: dict[str, Reader] = {
    **dict.fromkeys(TEXT_SUFFIXES, read_text),
    **dict.fromkeys(HDF5_SUFFIXES, read_hdf5),
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".gct": read_gct,
    ".mtx": read_mtx,
    ".xlsx": read_xlsx,
}


def register_reader(suffix: str, reader: Reader) -> None:
    """Let `load_dataset` read files that end in `suffix`.

    Parameters
    ----------
    suffix : str
        Such as ``".cel"`` or ``".maf.gz"``; the longest suffix that fits a file's name wins.
    reader : callable
        ``reader(path, options) -> Table``.
    """
    if not suffix.startswith(".") or len(suffix) < 2:
        raise ParameterError(f"suffix must start with a dot, such as '.cel': got {suffix!r}.")
    _READERS[suffix.lower()] = reader


def known_suffixes() -> tuple[str, ...]:
    """Return the suffixes that can be read, sorted; text may also be packed (.gz, .bz2, .xz)."""
    return tuple(sorted(_READERS))


def read_table(path: str | os.PathLike[str], options: ReadOptions | None = None) -> Table:
    """Read one data file, or a folder of a known kind.

    Raises
    ------
    DataFileError
        Where the file is missing, empty, of an unknown suffix, or not what its suffix says.
    """
    options = options or ReadOptions()
    folder = Path(path).expanduser()
    if folder.is_dir():
        return read_folder(folder, options)
    file = check_file(path)
    reader = _by_suffix(file) or _by_content(file)
    if reader is None:
        raise DataFileError(
            f"{file}: no reader for this suffix; known are {', '.join(known_suffixes())}, text also packed. "
            "Rename the file, convert it, or add a reader with register_reader."
        )
    try:
        return reader(file, options)
    except MemoryError as error:
        raise DataFileError(
            f"{file.name} does not fit in memory ({cause(error)}). Write or copy it again if it is damaged; else split it, or use a "
            "machine with more memory."
        ) from error


def _by_suffix(file: Path) -> Reader | None:
    for name in (file.name.lower(), bare_name(file)):
        fitting = [suffix for suffix in _READERS if name.endswith(suffix)]
        if fitting:
            return _READERS[max(fitting, key=len)]
    return None


def _by_content(file: Path) -> Reader | None:
    """A file of unknown suffix is read where its first bytes leave no doubt."""
    with unpacking_errors(file):
        start = first_bytes(file, len(HDF5))
    if start == HDF5:
        return read_hdf5
    try:
        lines = first_lines(file)
    except DataFileError:
        return None
    return (
        read_text
        if is_gct(lines) or is_series_matrix(lines) or tool_of(lines) not in (None, "HTSeq")
        else None
    )


def _check_other_kind(path: Path, start: list[str]) -> None:
    """Raise where a text is of a kind that holds no matrix."""
    first = start[0] if start else ""
    kinds = {
        "^": "a SOFT file of GEO: download the series matrix (GSE..._series_matrix.txt.gz) instead",
        "##fileformat=VCF": "a VCF file: convert its genotypes to a table, such as with plink --recode A",
        "%%MatrixMarket": "a Matrix Market file: rename it so that it ends in .mtx",
        ">": "FASTA: sequences are read by SequenceClassifier (--kind sequences), from a name that ends in .fasta",
        "{\\rtf": "a document of a word processor: save it as plain text",
        "<": "a web page or XML, maybe an error message of a download: download the table itself",
    }
    for mark, what in kinds.items():
        if first.startswith(mark):
            raise DataFileError(f"{path.name} is {what}.")
