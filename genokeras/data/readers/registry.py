"""Which function reads which file."""

from __future__ import annotations

import os
from pathlib import Path

from genokeras.data.readers.anndata import read_h5ad
from genokeras.data.readers.delimited import read_delimited
from genokeras.data.readers.gct import read_gct
from genokeras.data.readers.npz import read_npz
from genokeras.data.readers.parquet import read_parquet
from genokeras.data.table import Reader, ReadOptions, Table
from genokeras.errors import DataFileError, ParameterError
from genokeras.support.wording import did_you_mean

_READERS: dict[str, Reader] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), read_delimited),
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".gct": read_gct,
    ".gct.gz": read_gct,
    ".h5ad": read_h5ad,
}


def register_reader(suffix: str, reader: Reader) -> None:
    """Let `load_dataset` read files that end in `suffix`.

    Parameters
    ----------
    suffix : str
        Such as ``".loom"`` or ``".mtx.gz"``; the longest suffix that fits a file's name wins.
    reader : callable
        ``reader(path, options) -> Table``.
    """
    if not suffix.startswith(".") or len(suffix) < 2:
        raise ParameterError(f"suffix must start with a dot, such as '.loom': got {suffix!r}.")
    _READERS[suffix.lower()] = reader


def known_suffixes() -> tuple[str, ...]:
    """Return the suffixes that can be read, sorted."""
    return tuple(sorted(_READERS))


def read_table(path: str | os.PathLike[str], options: ReadOptions | None = None) -> Table:
    """Read one data file with the reader of its suffix.

    Raises
    ------
    DataFileError
        Where the file is missing, empty, of an unknown suffix, or not what its suffix says.
    """
    file = check_file(path)
    name = file.name.lower()
    fitting = [suffix for suffix in _READERS if name.endswith(suffix)]
    if not fitting:
        raise DataFileError(
            f"{file}: no reader for this suffix; known are {', '.join(known_suffixes())}. "
            "Rename the file, convert it, or add a reader with register_reader."
        )
    return _READERS[max(fitting, key=len)](file, options or ReadOptions())


def check_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that exists and is not empty."""
    file = Path(path).expanduser()
    if file.is_dir():
        raise DataFileError(f"{file} is a folder; expected a data file.")
    if not file.exists():
        raise DataFileError(f"{file} does not exist.{_nearby(file)}")
    if file.stat().st_size == 0:
        raise DataFileError(f"{file} is empty (0 bytes): expected a table of samples and genes.")
    return file


def _nearby(file: Path) -> str:
    folder = file.parent
    if not folder.is_dir():
        return f" Nor does its folder {folder}."
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_file()]
    return did_you_mean(file.name, names)
