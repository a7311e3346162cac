"""One folder per class: ``cats/1.png``, ``dogs/2.png``; without such folders, the files alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genokeras.errors import DataFileError
from genokeras.support.wording import counted, listed


@dataclass(frozen=True)
class ClassFolder:
    """The files of a folder, sorted by name.

    Attributes
    ----------
    files : tuple of Path
    names : tuple of str
        The paths below the folder, with ``/``.
    labels : tuple of str, optional
        The name of the folder each file lies in; None where all lie in the folder itself.
    notes : tuple of str
        Which files were left out.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    notes: tuple[str, ...]


def list_class_folder(folder: Path, suffixes: tuple[str, ...]) -> ClassFolder:
    """List the files with one of `suffixes`; hidden ones are skipped, folders in class folders are looked into.

    Raises
    ------
    DataFileError
        Where there are none, or some lie in class folders and some beside them.
    """
    everything = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)]
    files = [path for path in everything if path.suffix.lower() in suffixes]
    if not files:
        raise DataFileError(f"{folder} holds no files that end in {', '.join(suffixes)}.")
    parts = [path.relative_to(folder).parts for path in files]
    beside = ["/".join(part) for part in parts if len(part) == 1]
    if beside and len(beside) < len(files):
        raise DataFileError(
            f"{folder}: expected every file in a folder named after its class; {listed(beside, 5)} "
            f"{'lies' if len(beside) == 1 else 'lie'} beside the class folders."
        )
    other = [path.name for path in everything if path.suffix.lower() not in suffixes]
    notes = (f"{counted(len(other), 'file')} of another kind left out: {listed(other, 5)}.",) if other else ()
    labels = None if beside else tuple(part[0] for part in parts)
    return ClassFolder(tuple(files), tuple("/".join(part) for part in parts), labels, notes)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
