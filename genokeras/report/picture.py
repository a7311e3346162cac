"""What all pictures share: a figure that saves itself, a style that no user's settings change, colours that everyone can distinguish."""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genokeras.errors import ParameterError
from genokeras.report.class_names import installed_fonts, printable, shortened
from genokeras.support.files import write_bytes
from genokeras.support.shown_figure import PIXELS_PER_INCH, ShownFigure
from genokeras.support.wording import did_you_mean

SUFFIXES = (".png", ".svg", ".pdf")
INK, FAINT, GRID = "#1f2933", "#66727f", "#e4e7eb"
# Okabe and Ito (2008), Color universal design; distinct in any colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
TRAINING, VALIDATION = COLOURS[0], COLOURS[1]
LINES = ("-", "--", "-.", ":")
# Embedded TrueType keeps the text of a PDF searchable; outlines make an SVG look alike on every machine.
_SETTINGS: dict[Any, Any] = {
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "genokeras",
    "text.usetex": False,
    "text.parse_math": False,  # a class called "$x$" is a name, not a formula
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


class Picture(ShownFigure):
    """A Matplotlib figure that belongs to no window, with words in its place for those who cannot see it.

    The last line of a notebook's cell shows it.

    Attributes
    ----------
    alt : str
        What the picture shows, in a sentence or two: the text alternative of a report and of a notebook.
    """

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; the suffix says how.

        Parameters
        ----------
        path : path-like
            ``.png``, ``.svg`` or ``.pdf``; folders that are missing are made.

        Returns
        -------
        pathlib.Path
            The file; the same figures give the same bytes.

        Raises
        ------
        ParameterError
            If the suffix is another one.
        RunFolderError
            If the path cannot be written.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind not in SUFFIXES:
            raise ParameterError(
                f"a picture is saved as one of {', '.join(SUFFIXES)}; got {str(target)!r}.{did_you_mean(kind, SUFFIXES)}"
            )
        return write_bytes(target, self.rendered(kind[1:]))

    def rendered(self, kind: str = "svg") -> bytes:
        """The picture's bytes as ``"png"``, ``"svg"`` or ``"pdf"``."""
        return rendered(self, kind)

    def _png(self) -> bytes:
        return self.rendered("png")


def rendered(figure: Figure, kind: str = "svg") -> bytes:
    """Any figure's bytes as ``"png"``, ``"svg"`` or ``"pdf"``."""
    # A date would make two files of the same picture differ.
    dates: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    content = io.BytesIO()
    with house_style():
        figure.savefig(
            content,
            format=kind,
            dpi=PIXELS_PER_INCH,
            bbox_inches="tight",
            pad_inches=0.1,
            metadata=dates.get(kind),
        )
    return content.getvalue()


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib's settings while a picture is made; also a decorator."""
    with matplotlib.style.context(["default", {**_SETTINGS, "font.family": installed_fonts()}]):
        yield


def shown(names: Sequence[object]) -> list[str]:
    """Names as they can be drawn: shortened where long, as codes where no font has them."""
    return shortened(printable([str(name) for name in names], installed_fonts()))


def write_note(figure: Figure, text: str) -> None:
    """Small print below the picture, a paragraph a line."""
    width = int(16 * figure.get_figwidth())
    lines = [line for part in text.splitlines() for line in textwrap.wrap(part, width)]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7.5, color=FAINT)


def label_axes(axes: Axes, title: str, x: str, y: str) -> None:
    """Title and labels as they are: a class called "$x$" is a name, not a formula."""
    axes.set_title(title, parse_math=False)
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)


def square(axes: Axes) -> None:
    """Both axes from 0 to 1, with a little air."""
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")


def readable_on(colour: Sequence[float] | np.ndarray) -> str:
    """Black or white, whichever stands out more on an RGB colour (relative luminance of WCAG 2.1)."""
    channels = np.asarray(colour[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "black" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "white"
