"""One folder per class: ``cats/1.png``, ``dogs/2.png``; without such folders, the files alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genokeras.errors import DataFileError
from genokeras.support.walking import shown_files
from genokeras.support.wording import counted, listed

_PARTS = frozenset(
    [
        "train",
        "training",
        "trainset",
        "test",
        "testing",
        "testset",
        "val",
        "valid",
        "validation",
        "validate",
        "dev",
        "eval",
        "evaluation",
        "holdout",
    ]
)


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
        Which files, folders without files and links were left out.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    notes: tuple[str, ...]


def list_class_folder(folder: Path, suffixes: tuple[str, ...]) -> ClassFolder:
    """List the files with one of `suffixes`; hidden ones are skipped, folders in class folders and links to folders are looked into.

    Raises
    ------
    DataFileError
        Where there are none, some lie in class folders and some beside them, or the folders are parts of a data set, such as
        ``train`` and ``test``, and no classes.
    """
    everything = sorted(shown_files(folder))
    files = [path for path in everything if path.suffix.lower() in suffixes and path.is_file()]
    ending = f"files that end in {', '.join(suffixes)}"
    if not files:
        raise DataFileError(f"{folder} holds no {ending}.")
    parts = [path.relative_to(folder).parts for path in files]
    _refuse_parts(folder, parts)
    beside = ["/".join(part) for part in parts if len(part) == 1]
    if beside and len(beside) < len(files):
        raise DataFileError(
            f"{folder}: expected every file in a folder named after its class; {listed(beside, 5)} "
            f"{'lies' if len(beside) == 1 else 'lie'} beside the class folders."
        )
    other = [path.name for path in everything if path.suffix.lower() not in suffixes and path.is_file()]
    broken = [path.name for path in everything if path.is_symlink() and not path.exists()]
    folders = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    barren = sorted(folders - {part[0] for part in parts})
    notes = (
        *_left_out(other, "file", "of another kind"),
        *_left_out(barren, "folder", f"without {ending}"),
        *_left_out(broken, "link", "without a target"),
    )
    notes += () if beside else _nested_note(parts)
    labels = None if beside else tuple(part[0] for part in parts)
    return ClassFolder(tuple(files), tuple("/".join(part) for part in parts), labels, notes)


def _left_out(names: list[str], noun: str, which: str) -> tuple[str, ...]:
    return (f"{counted(len(names), noun)} {which} left out: {listed(names, 5)}.",) if names else ()


def _refuse_parts(folder: Path, paths: list[tuple[str, ...]]) -> None:
    """Raise where the folders are called like training and test samples: read as classes, they would be what is predicted."""
    outer = sorted({path[0] for path in paths if len(path) > 1})
    nested = any(len(path) > 2 for path in paths)
    if not outer or not all(name.lower() in _PARTS for name in outer) or (len(outer) == 1 and not nested):
        return
    training = next((name for name in outer if name.lower().startswith("train")), outer[0])
    others = [name for name in outer if name != training]
    advice = f"Read one of them at a time: {str(folder / training)!r} to fit"
    if others:
        advice += f", {str(folder / others[0])!r} to evaluate or as validation_data"
    hold = " which hold the class folders" if nested else ""
    raise DataFileError(f"{folder} holds {listed(outer)}: parts of a data set{hold}, not classes. {advice}.")


def _nested_note(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Say which folders were taken as the classes, where each of them holds folders of the same names."""
    inner: dict[str, set[str]] = {}
    for path in paths:
        inner.setdefault(path[0], set()).add(path[1] if len(path) > 2 else "")
    kinds = next(iter(inner.values()))
    if len(inner) < 2 or len(kinds) < 2 or any(names != kinds for names in inner.values()):
        return ()
    return (
        f"The classes are the outer folders ({listed(sorted(inner), 5)}); each of them holds the folders "
        f"{listed(sorted(kinds - {''}), 5)}.",
    )
