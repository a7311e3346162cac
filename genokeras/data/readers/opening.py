"""The bytes and the text of a file, however it is packed and encoded; its content decides, not its name."""

from __future__ import annotations

import bz2
import codecs
import functools
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from charset_normalizer import from_bytes

from genokeras.errors import DataFileError
from genokeras.support.wording import did_you_mean

PACKED_SUFFIXES = (".gz", ".bz2", ".xz")
HDF5 = b"\x89HDF\r\n\x1a\n"
_UNPACKERS: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_OTHERS = {
    b"PK\x03\x04": "a zip archive: unpack it first, or pass the file in it under its own suffix",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first with zstd -d",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    HDF5: "an HDF5 file: rename it so that it ends in .h5, .h5ad, .h5mu or .loom, as is right for what it holds",
    b"%PDF": "a PDF: take the table from the supplementary files",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls): save it as .xlsx or as CSV UTF-8",
}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# How much is looked at to tell the encoding.
_LOOK = 1 << 24
_ENOUGH_LETTERS = 1 << 16
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LEGACY = ["cp1252", "cp1250", "cp1251", "cp932", "gb18030", "big5", "cp949"]
_UNPACKING_ERRORS = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def bare_name(path: str | Path) -> str:
    """Return a file's name in lower case, less a suffix of packing."""
    name = Path(path).name.lower()
    suffix = next((suffix for suffix in PACKED_SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix)


def check_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that exists and is not empty."""
    file = Path(path).expanduser()
    if file.is_dir():
        raise DataFileError(f"{file} is a folder; expected a data file.")
    if not file.exists():
        raise DataFileError(f"{file} does not exist.{_nearby(file)}")
    if not file.is_file():
        raise DataFileError(
            f"{file} is a pipe or a device; expected a data file, which is read more than once. Write it to a file first."
        )
    if file.stat().st_size == 0:
        raise DataFileError(f"{file} is empty (0 bytes): expected samples. Write or copy it again.")
    return file


def _nearby(file: Path) -> str:
    folder = file.parent
    if not folder.is_dir():
        return f" Nor does its folder {folder}."
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_file()]
    return did_you_mean(file.name, names)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, unpacked where its first bytes are those of gzip, bzip2 or xz."""
    with path.open("rb") as raw:
        start = raw.read(8)
    for mark, (_, opener) in _UNPACKERS.items():
        if start.startswith(mark):
            unpacked: IO[bytes] = opener(path, "rb")
            return unpacked
    return path.open("rb")


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked."""
    with open_bytes(path) as handle:
        return handle.read()


def open_text(path: Path) -> TextIO:
    """Open a text file, unpacked and in the encoding that its bytes have; a byte order mark is skipped."""
    encoding = encoding_of(path)
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


def first_bytes(path: Path, size: int = 8) -> bytes:
    """Return the first bytes behind any packing."""
    with open_bytes(path) as handle:
        return handle.read(size)


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file.

    Raises
    ------
    DataFileError
        Where it is no text.
    """
    status = path.stat()
    return _encoding_of(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _encoding_of(path: Path, changed: int, size: int) -> str:
    del changed, size  # they tell versions of a file apart
    with open_bytes(path) as handle:
        sample = handle.read(_LOOK)
    marked = next((name for mark, name in _MARKS.items() if sample.startswith(mark)), None)
    if marked is not None:
        return marked
    what = next((text for mark, text in _OTHERS.items() if sample.startswith(mark)), None)
    if what is not None:
        raise DataFileError(f"{path.name} is {what}.")
    if sample.isascii() and b"\0" not in sample[:_ENOUGH_LETTERS]:
        return "utf-8"
    wide = _wide_encoding(sample[:_ENOUGH_LETTERS])
    if wide is not None:
        return wide
    if _is_binary(sample[:_ENOUGH_LETTERS]):
        raise DataFileError(
            f"{path.name} is not text in UTF-8, UTF-16 or an older encoding: check that it is a table."
        )
    if _decodes(sample, "utf-8"):
        return "utf-8"
    return _legacy_encoding(sample)


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of most text is then zero."""
    pairs = len(sample) // 2
    if not pairs:
        return None
    even, odd = (sample[start::2].count(0) / pairs for start in (0, 1))
    if max(odd, even) < 0.6 or min(odd, even) > 0.1:
        return None
    found = "utf-16-le" if odd > even else "utf-16-be"
    text = sample.decode(found, "replace")
    return None if _is_binary(text.encode("utf-8")) or "\ufffd" in text[:-1] else found


def _is_binary(sample: bytes) -> bool:
    """Whether there are zeros, or more control characters than stray ones."""
    control = sum(sample.count(byte) for byte in (*range(9), *range(14, 27), *range(28, 32)))
    return b"\0" in sample or control > 0.01 * len(sample)


def _legacy_encoding(sample: bytes) -> str:
    runs = _HIGH_RUN.findall(sample)[:_ENOUGH_LETTERS]
    single = sum(len(run) == 1 for run in runs)
    if single > 0.5 * len(runs):
        # single accented letters, as in Western names: too few for statistics
        return "cp1252" if _decodes(sample, "cp1252") else "latin-1"
    words = b" ".join(dict.fromkeys(runs))[:_ENOUGH_LETTERS]
    best = from_bytes(words, cp_isolation=_LEGACY).best()
    found = best.encoding if best is not None else "cp1252"
    return found if _decodes(sample, found) else "latin-1"


def _decodes(sample: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        # a letter of several bytes may be cut at the end of the sample
        decoder.decode(sample, final=len(sample) < _LOOK)
    except UnicodeDecodeError:
        return False
    return True


def encoding_note(path: Path) -> tuple[str, ...]:
    """Return a note that names the encoding where it is an old one, which bytes alone cannot tell for sure."""
    encoding = encoding_of(path)
    if encoding.startswith("utf"):
        return ()
    return (f"The text is not UTF-8; it was read as {encoding}. If letters look wrong, save it as UTF-8.",)


@contextmanager
def unpacking_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong in unpacking and decoding into a `DataFileError` that says what to do."""
    try:
        yield
    except DataFileError:  # an OSError, too, that says what to do already
        raise
    except _UNPACKING_ERRORS as error:
        raise DataFileError(
            f"{path.name}: the {_packing(path)} data end too early or are damaged ({error}). The file is truncated: "
            "copy or download it again."
        ) from error
    except UnicodeError as error:
        raise DataFileError(
            f"{path.name} is not text in {encoding_of(path)} throughout ({error}): save it as 'CSV UTF-8'."
        ) from error
    except OSError as error:
        raise DataFileError(f"{path.name} cannot be read: {error}.") from error


def _packing(path: Path) -> str:
    with path.open("rb") as raw:
        start = raw.read(8)
    return next((name for mark, (name, _) in _UNPACKERS.items() if start.startswith(mark)), "packed")
