"""Confusion matrices as PDF: truth on x, prediction on y, readable with two classes and with thirty."""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.report.class_names import FONT, installed_fonts, name_width, printable, shortened
from genokeras.report.picture import Picture, readable_on
from genokeras.support.files import write_bytes
from genokeras.support.wording import did_you_mean, duplicates, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT = "#1f2933", "#66727f"
_GRID = "#cbd5e1"
# Embedded TrueType keeps the text searchable. A user's own settings play no part: grids or TeX would spoil the picture.
_SETTINGS: dict[Any, Any] = {"pdf.fonttype": 42, "pdf.use14corefonts": False, "text.usetex": False}
_POINTS = 72.0
_CHARACTER = 0.62  # width of a character over its font size
_MOST_ZEROS = 12  # with more classes the zeros hide the figures that matter
_KEY_WIDTH, _TITLE_WIDTH = 48, 60


def plot_confusion(
    truth: Sequence[Any] | np.ndarray,
    predicted: Sequence[Any] | np.ndarray,
    classes: Sequence[str],
    path: str | os.PathLike[str],
    title: str | None = None,
) -> Path:
    """Draw a confusion matrix into a PDF.

    A column holds the samples of one true class, so it sums to the class's size; the shade is the share of that class.

    Parameters
    ----------
    truth, predicted : array-like of shape (n_samples,)
        Whole numbers are codes, the positions in `classes`; anything else is the name of a class.
    classes : sequence of str
        In the order of the axes.
    path : path-like
        A ``.pdf``; folders that are missing are made.
    title : str, optional

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ParameterError
        If the two differ in length, are empty or hold something that is no class, if `classes` repeats a name, or if the
        path does not end in ``.pdf``.
    RunFolderError
        If the path cannot be written.

    Examples
    --------
    >>> plot_confusion(["a", "b", "b"], ["a", "b", "a"], ["a", "b"], "confusion.pdf")  # doctest: +SKIP
    PosixPath('confusion.pdf')
    """
    import matplotlib.style

    target = Path(path)
    if target.suffix.lower() != ".pdf":
        raise ParameterError(
            f"a confusion matrix is drawn as PDF: expected a path ending in .pdf, got {str(target)!r}."
        )
    content = io.BytesIO()
    # The date is left out so that the same figures give the same file.
    with matplotlib.style.context(["default", _SETTINGS]):
        figure = confusion_figure(confusion_counts(truth, predicted, classes), classes, title)
        figure.savefig(
            content, format="pdf", bbox_inches="tight", pad_inches=0.15, metadata={"CreationDate": None}
        )
    return write_bytes(target, content.getvalue())


def label_codes(labels: Sequence[Any] | np.ndarray, classes: Sequence[str], what: str) -> np.ndarray:
    """Return the position in `classes` of every label.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Whole numbers are positions already and are checked; anything else is a name.
    classes : sequence of str
    what : str
        What the labels are, for messages.

    Returns
    -------
    ndarray of int64, shape (n_samples,)

    Raises
    ------
    ParameterError
        On labels that are no class, or that form no single column.
    """
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ParameterError(f"{what} must have one label a sample, shape (n_samples,); got {values.shape}.")
    if values.dtype.kind in "iu":
        wrong = np.unique(values[(values < 0) | (values >= len(classes))])
        if len(wrong):
            raise ParameterError(
                f"{what} must hold codes from 0 to {len(classes) - 1}, one a class; got {listed(wrong)}."
            )
        return values.astype("int64")
    names, places = np.unique(values.astype(str), return_inverse=True)
    position = {name: code for code, name in enumerate(classes)}
    unknown = [str(name) for name in names if name not in position]
    if unknown:
        raise ParameterError(
            f"{what} must hold the classes {listed(classes)}; got {listed(map(repr, unknown))}."
            f"{did_you_mean(unknown[0], list(classes))}"
        )
    return np.array([position[name] for name in names], dtype="int64")[places]


def confusion_counts(
    truth: Sequence[Any] | np.ndarray, predicted: Sequence[Any] | np.ndarray, classes: Sequence[str]
) -> np.ndarray:
    """Count the samples by prediction and truth.

    Parameters
    ----------
    truth, predicted, classes
        As for :func:`plot_confusion`.

    Returns
    -------
    ndarray of int64, shape (n_classes, n_classes)
        Predictions in rows, truth in columns.

    Raises
    ------
    ParameterError
        As for :func:`plot_confusion`.
    """
    if not len(classes):
        raise ParameterError("a confusion matrix needs at least one class, got none.")
    twice = duplicates(classes)
    if twice:
        raise ParameterError(f"classes must differ; {listed(map(repr, twice))} occur more than once.")
    true, guessed = label_codes(truth, classes, "truth"), label_codes(predicted, classes, "predicted")
    if len(true) != len(guessed):
        raise ParameterError(
            f"truth and predicted must have one label per sample each: got {len(true)} and {len(guessed)}."
        )
    if not len(true):
        raise ParameterError("a confusion matrix needs samples, got none.")
    n = len(classes)
    return np.bincount(guessed * n + true, minlength=n * n).reshape(n, n)


def confusion_figure(counts: np.ndarray, classes: Sequence[str], title: str | None = None) -> Picture:
    """Draw counts of :func:`confusion_counts`.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        Predictions in rows, truth in columns.
    classes : sequence of str, length n_classes
    title : str, optional

    Returns
    -------
    Picture
        It belongs to no window. The labels stand outside of its box: save it with ``bbox_inches="tight"``.

    Raises
    ------
    ParameterError
        If the counts are not square, or there is not one row a class, or no class.
    """
    counts = np.asarray(counts)
    n = len(classes)
    if not n or counts.shape != (n, n):
        raise ParameterError(
            f"counts must have one row and one column for each of {n} classes; got shape {counts.shape}."
        )
    cell = _cell_inches(n, int(counts.max()))
    figure = Picture(figsize=(n * cell, n * cell))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    fonts = installed_fonts()
    names = printable(classes, fonts)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    mesh = axes.pcolormesh(shares, cmap="Blues", vmin=0.0, vmax=1.0, edgecolors=_GRID, linewidth=0.4)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_color(_GRID)
    _write_counts(axes, counts, mesh.to_rgba(shares), _digit_size(cell, int(counts.max())))
    _write_names(axes, names, cell, fonts)
    shown = printable([" ".join(title.split())], fonts)[0] if title else None
    _write_heading(axes, _heading(counts), shown, fonts)
    figure.alt = f"Confusion matrix of {n} classes: {_heading(counts).splitlines()[0]}."
    return figure


# ---- sizes


def _cell_inches(n: int, largest: int) -> float:
    """Smaller with more classes, but wide enough for the largest count at a size that can be read."""
    wanted = np.interp(n, [2, 5, 10, 30], [1.1, 0.75, 0.5, 0.32])
    needed = (len(str(largest)) * _CHARACTER * 6.5) / (0.9 * _POINTS)
    return float(max(wanted, needed))


def _digit_size(cell: float, largest: int) -> float:
    """Points: as large as the cell allows, for the largest count."""
    room = cell * _POINTS
    return float(min(0.38 * room, 0.9 * room / (_CHARACTER * len(str(largest))), 26))


def _name_size(cell: float) -> float:
    return float(np.clip(0.3 * cell * _POINTS, 7, 11))


# ---- parts of the picture


def _write_counts(axes: Axes, counts: np.ndarray, colours: np.ndarray, size: float) -> None:
    style: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": size, "family": FONT}
    for row, column in np.ndindex(*counts.shape):
        count = int(counts[row, column])
        if count == 0 and len(counts) > _MOST_ZEROS:
            continue
        colour = readable_on(colours[row, column]) if count else _FAINT
        axes.text(column + 0.5, row + 0.5, str(count), color=colour, **style)


def _write_names(axes: Axes, names: list[str], cell: float, fonts: list[str]) -> None:
    size = _name_size(cell)
    short = shortened(names)
    places = np.arange(len(names)) + 0.5
    # A name such as "$x$" is shown as it is, not set as a formula.
    style: dict[str, Any] = {"fontsize": size, "color": _INK, "family": fonts, "parse_math": False}
    axes.set_yticks(places, short, **style)
    axes.set_xticks(places, short, **style, **_slant(short, size, cell, len(names)))
    labels: dict[str, Any] = {"fontsize": max(size, 9.0) + 1, "color": _INK, "family": FONT, "labelpad": 8}
    axes.set_xlabel("truth", **labels)
    axes.set_ylabel("prediction", **labels)
    key = [(brief, name) for brief, name in zip(short, names, strict=True) if brief != name]
    if key:
        lines = [line for pair in key for line in _key_entry(*pair)]
        text = "\n".join(["Full names", *lines])
        _beside(axes, text, (1, 1), (14, 0), fontsize=8, color=_INK, family=fonts, va="top", linespacing=1.3)


def _write_heading(axes: Axes, heading: str, title: str | None, fonts: list[str]) -> None:
    _beside(axes, heading, (0, 1), (0, 7), fontsize=8, color=_FAINT, family=fonts, va="bottom")
    if title:
        above = (0, 12 + 11 * (1 + heading.count("\n")))
        wrapped = "\n".join(textwrap.wrap(title, _TITLE_WIDTH))
        _beside(axes, wrapped, (0, 1), above, fontsize=12, color=_INK, family=fonts, va="bottom")


def _beside(
    axes: Axes, text: str, corner: tuple[float, float], offset: tuple[float, float], **style: Any
) -> None:
    """Write beside the matrix, `offset` points from one of its corners."""
    axes.annotate(
        text,
        corner,
        offset,
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        parse_math=False,
        annotation_clip=False,
        **style,
    )


def _heading(counts: np.ndarray) -> str:
    total, right = int(counts.sum()), int(np.trace(counts))
    return (
        f"{total:,} {'sample' if total == 1 else 'samples'}, {right / total if total else 0:.1%} predicted right\n"
        "shade: share of the true class"
    )


def _slant(names: list[str], size: float, cell: float, n: int) -> dict[str, Any]:
    """Level where the names fit side by side, else slanted, else upright."""
    widest = max(map(name_width, names)) * size * _CHARACTER
    if widest <= cell * _POINTS - 4:
        return {}
    if n > _MOST_ZEROS:
        return {"rotation": 90, "ha": "center", "va": "top"}
    return {"rotation": 40, "ha": "right", "va": "top", "rotation_mode": "anchor"}


def _key_entry(brief: str, name: str) -> list[str]:
    tag = brief.split(" ", 1)[0]
    return textwrap.wrap(f"{tag} {name}", _KEY_WIDTH, subsequent_indent="      ")
