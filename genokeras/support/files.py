"""Files that are either whole or what they were before: written aside, synced to the disk, renamed.

A process that dies in between leaves a hidden file beside the target, and the target as it was. Names aside are unique,
so that two processes (or threads) that write one path do not disturb each other: the last one to finish wins.
"""

from __future__ import annotations

import errno
import lzma
import os
import re
import shutil
import struct
import sys
import time
import tokenize
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from genokeras.errors import GenoKerasError, RunFolderError

PathLike = str | os.PathLike[str]
# What zipfile, NumPy, the parser of its headers and our own readers raise where content is not what it should be.
DAMAGED = (
    *(
        ValueError,
        EOFError,
        TypeError,
        AttributeError,
        LookupError,
        MemoryError,
        OverflowError,
        AssertionError,
    ),
    *(SyntaxError, RuntimeError, tokenize.TokenError, struct.error),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)

_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONGEST_STEM = 40
_BLOCK = 65536
# The last record of a zip file: signature, disks and entries, bytes and start of the directory, bytes of a comment.
_END = struct.Struct("<4s4H2LH")
_HIDDEN, _LEFT = re.compile(r"\..*\.[0-9a-f]{12}(\.\w+)?", re.DOTALL), 3600.0


@contextmanager
def written_aside(path: PathLike) -> Iterator[Path]:
    """Give a hidden path beside `path`, with its suffix, to write a file or folder to; without an error it takes the name.

    Folders above are made. A symbolic link stays one; what is no file, such as ``/dev/null``, is written to as it is.

    Raises
    ------
    RunFolderError
        If the disk refuses. What was there before is still there then.

    Examples
    --------
    >>> with written_aside("runs/leukemia/best.keras") as aside:  # doctest: +SKIP
    ...     model.save(aside)
    """
    with written_together([path]) as (aside,):
        yield aside


@contextmanager
def written_together(paths: Sequence[PathLike]) -> Iterator[list[Path]]:
    """As :func:`written_aside` for several files, which take their names in the order of `paths`.

    All contents are on the disk before the first file is renamed, and the disk is waited for once and not once a file.

    Raises
    ------
    RunFolderError
        If the disk refuses.
    """
    targets = [_followed(Path(path)) for path in paths]
    asides = [_aside(target) for target in targets]
    moves = [(aside, target) for aside, target in zip(asides, targets, strict=True) if aside != target]
    try:
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        yield asides
        for aside, _ in moves:
            _sync(aside)
        for aside, target in moves:
            _put(aside, target)
        for folder in dict.fromkeys(target.parent for _, target in moves):
            _sync_folder(folder)
    except GenoKerasError:
        raise
    except OSError as error:
        raise unwritable(paths[0] if len(paths) == 1 else Path(paths[-1]).parent, error) from error
    finally:
        for aside, _ in moves:
            # Where the disk refused, there is nothing to remove or no way to.
            with suppress(OSError):
                shutil.rmtree(aside) if aside.is_dir() else aside.unlink(missing_ok=True)


def write_bytes(path: PathLike, content: bytes) -> Path:
    """Write a file of these bytes, whole or not at all; see :func:`written_aside`."""
    with written_aside(path) as aside:
        aside.write_bytes(content)
    return Path(path)


def write_text(path: PathLike, text: str) -> Path:
    """Write a file of this text as UTF-8, whole or not at all; see :func:`written_aside`."""
    return write_bytes(path, text.encode("utf-8"))


def write_arrays(path: PathLike, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> Path:
    """Write an npz file of this very name, whole or not at all; see :func:`written_aside`."""
    with written_aside(path) as aside:
        save_arrays(aside, arrays, compressed=compressed)
    return Path(path)


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write an npz file in its place; NumPy would add ".npz" to another suffix."""
    save = np.savez_compressed if compressed else np.savez
    with path.open("wb") as file:
        try:
            save(file, **arrays)  # type: ignore[arg-type]
        except ValueError as error:
            # What zipfile says where Ctrl-C comes between its lines must not hide that.
            if isinstance(error.__context__, KeyboardInterrupt):
                raise error.__context__ from None
            raise


def load_arrays(path: PathLike) -> dict[str, np.ndarray]:
    """The arrays of an npz file; nothing in it is unpickled. What is damaged raises an OSError or one of `DAMAGED`."""
    # NumPy leaves a file open that it opened itself and cannot read.
    with open(path, "rb") as file:
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array, as np.save writes it")
        with archive:
            arrays = dict(archive)
    for name, values in arrays.items():
        if not isinstance(values, np.ndarray):  # NumPy hands out as bytes what has not its mark
            raise ValueError(f"{name} is no array")
        if values.dtype.kind == "U" and not _is_text(values):
            raise ValueError(f"{name} holds what is no text")
    return arrays


def _is_text(values: np.ndarray) -> bool:
    if not values.nbytes:
        return True
    letters = np.ascontiguousarray(values).view(np.dtype("u4").newbyteorder(values.dtype.byteorder))
    return bool(letters.max() <= sys.maxunicode)


def read_arrays(path: PathLike) -> dict[str, np.ndarray]:
    """Read an npz file; nothing in it is unpickled.

    Raises
    ------
    RunFolderError
        If it cannot be read, or is damaged.
    """
    try:
        return load_arrays(path)
    except OSError as error:
        raise RunFolderError(f"cannot read {os.fspath(path)!r}: {error.strerror or error}.") from error
    except DAMAGED as error:
        raise RunFolderError(
            f"cannot read {os.fspath(path)!r}: it is damaged or no npz file ({error}). Copy it again from where it was made."
        ) from error


def arrays_fault(path: PathLike, whole: bool = True) -> str:
    """What is wrong with an npz file; nothing where it is as it was written.

    Parameters
    ----------
    path : path-like
    whole : bool
        Read all of it and compare checksums. Without, a file that was cut short is found, and one whose middle is damaged is not.
    """
    try:
        if not whole and _ends_whole(path):
            return ""
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip() if whole else None
        return "" if damaged is None else f"{damaged} is damaged"
    except OSError as error:
        return str(error.strerror or error)
    except (*DAMAGED, NotImplementedError) as error:
        return str(error) or type(error).__name__


def _ends_whole(path: PathLike) -> bool:
    """Whether a zip file ends in the usual record of its end, at the place that the record itself says; others may be whole, too."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size < _END.size:
            return False
        file.seek(size - _END.size)
        signature, *_, directory, start, comment = _END.unpack(file.read(_END.size))
    return bool(signature == b"PK\x05\x06" and comment == 0 and start + directory + _END.size == size)


def append_lines(
    path: PathLike, lines: Sequence[str], whole: Callable[[bytes], object] = lambda line: True
) -> None:
    """Add lines to a text file and wait until they are on the disk.

    Parameters
    ----------
    path : path-like
    lines : sequence of str
    whole : callable
        Whether a last line without an end, which a crash may have left, stays in a line of its own; otherwise it is cut off.

    Raises
    ------
    RunFolderError
        If the disk refuses.
    """
    target = Path(path)
    try:
        with target.open("ab+") as file:
            tail = _last_line(file)
            kept = bool(tail) and bool(whole(tail))
            if tail and not kept:
                file.truncate(file.seek(-len(tail), os.SEEK_END))
            file.write(("\n" * kept + "".join(f"{line}\n" for line in lines)).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(path, error) from error


def _last_line(file: BinaryIO) -> bytes:
    """What stands behind the last end of a line."""
    position, tail = file.seek(0, os.SEEK_END), b""
    while position and b"\n" not in tail:
        size = min(position, _BLOCK if tail else 1)
        position = file.seek(position - size)
        tail = file.read(size) + tail
    return tail.rpartition(b"\n")[2]


def copy_tree(source: Path, target: Path, without: Sequence[str] = ()) -> None:
    """Copy a folder: a new one is whole or not there; in one that is there, each file is whole or what it was before.

    Parameters
    ----------
    source, target : pathlib.Path
    without : sequence of str
        Names that stay behind, as hidden files do: they belong to a process that is writing.

    Raises
    ------
    RunFolderError
        If a file cannot be read or written.
    """

    def left(_: str, names: list[str]) -> list[str]:
        return [name for name in names if name.startswith(".") or name in without]

    try:
        if target.is_dir() and any(target.iterdir()):
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=left, copy_function=_copy_file)
            return
        with written_aside(target) as aside:
            shutil.copytree(source, aside, ignore=left)
    except (OSError, shutil.Error) as error:
        if isinstance(error, GenoKerasError):
            raise
        raise unwritable(target, error) from error


def _copy_file(source: str, target: str) -> str:
    with written_aside(target) as aside:
        shutil.copy2(source, aside)
    return target


def unwritable(
    path: PathLike, error: OSError, advice: str = "Give a path that can be written."
) -> RunFolderError:
    """The error that says what cannot be written, why, and what to do."""
    if error.errno in _FULL:
        advice = "Free some space, or give another path."
    return RunFolderError(f"cannot write {os.fspath(path)!r}: {error.strerror or error}. {advice}")


def remove_left(folder: Path) -> None:
    """Remove hidden files of :func:`written_aside` right in a folder that nobody has written to for an hour: their process was killed."""
    for path in folder.glob(".*"):
        with suppress(OSError):
            if _HIDDEN.fullmatch(path.name) and path.is_file() and time.time() - path.stat().st_mtime > _LEFT:
                path.unlink()


def _followed(path: Path) -> Path:
    return path.resolve() if path.is_symlink() else path


def _aside(target: Path) -> Path:
    if target.exists() and not (target.is_file() or target.is_dir()):
        return target
    return target.with_name(f".{target.stem[:_LONGEST_STEM]}.{uuid.uuid4().hex[:12]}{target.suffix}")


def _sync(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if not file.is_dir():
            with file.open("rb+") as handle:  # Windows syncs only what is open for writing
                os.fsync(handle.fileno())


def _put(made: Path, target: Path) -> None:
    """Rename; a folder cannot take the place of one that is not empty, so that one steps aside, and comes back on failure."""
    if not (made.is_dir() and target.is_dir()):
        os.replace(made, target)
        return
    earlier = made.with_name(f"{made.name}.earlier")
    os.replace(target, earlier)
    try:
        os.replace(made, target)
    except BaseException:
        os.replace(earlier, target)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    # Windows cannot open folders, and some file systems cannot sync them.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
