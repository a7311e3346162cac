"""Motifs as sequence logos: letters as tall as what they say in bits (Schneider and Stephens 1990, Nucleic Acids Research 18: 6097-6100)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from genokeras.explain import Motif
from genokeras.report.class_names import FONT
from genokeras.report.picture import COLOURS, FAINT, Picture, house_style, write_note

# Green, blue, yellow and red, as logos have them, in tones that every colour vision tells apart.
_COLOURS = {"A": COLOURS[2], "C": COLOURS[0], "G": COLOURS[4], "T": COLOURS[1]}
_LETTERS = "ACGT"
_TALLEST = 2.0
_LEAST = 0.01  # bits below which a letter is not seen
MOST_MOTIFS, _COLUMNS = 12, 3


def letter_heights(probabilities: np.ndarray) -> np.ndarray:
    """``(width, 4)`` bits of every letter at every place: its share of what the place says.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``(width, 4)`` of A, C, G, T.
    """
    p = np.maximum(probabilities, 1e-12)
    said = _TALLEST + (p * np.log2(p)).sum(axis=1)
    return np.asarray(probabilities * np.maximum(said, 0.0)[:, None])


def draw_logo(axes: Axes, probabilities: np.ndarray) -> None:
    """Draw a motif, the letter that says most on top at every place.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    probabilities : numpy.ndarray
        ``(width, 4)`` of A, C, G, T.
    """
    outlines = {letter: _outline(letter) for letter in _LETTERS}
    for place, heights in enumerate(letter_heights(probabilities)):
        bottom = 0.0
        for number in np.argsort(heights, kind="stable"):
            height = float(heights[number])
            if height < _LEAST:
                continue
            letter = _LETTERS[number]
            moved = Affine2D().scale(0.94, height).translate(place + 0.53, bottom)
            axes.add_patch(
                PathPatch(outlines[letter].transformed(moved), facecolor=_COLOURS[letter], linewidth=0)
            )
            bottom += height
    width = len(probabilities)
    axes.set(xlim=(0.4, width + 0.6), ylim=(0, _TALLEST), yticks=(0, 1, 2))
    step = 1 if width <= 12 else 5
    axes.set_xticks(np.arange(step, width + 1, step))
    axes.grid(visible=False)


def _outline(letter: str) -> Outline:
    """A letter that fills the unit square."""
    path = TextPath((0, 0), letter, size=1, prop=FontProperties(family=FONT, weight="bold"))
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-box.x0, -box.y0).scale(1 / box.width, 1 / box.height))


@house_style()
def plot_logos(motifs: Sequence[Motif], most: int = MOST_MOTIFS) -> Picture:
    """Logos of the motifs with most information.

    Parameters
    ----------
    motifs : sequence of Motif
        At least one; those with most information first.
    most : int

    Returns
    -------
    Picture
    """
    chosen = list(motifs)[:most]
    columns = min(_COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Picture(figsize=(3.6 * columns, 1.45 * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, motif in zip(panels, chosen, strict=False):
        draw_logo(axes, motif.probabilities)
        axes.set_title(f"{motif.name}, {motif.n_sites} sites", fontsize=8, color=FAINT)
    for axes in panels[len(chosen) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel("bits")
    write_note(
        figure,
        "What filters of the first layer answer to with more than half of their largest answer, the best window of each sequence.",
    )
    words = ", ".join(f"{motif.consensus} ({motif.information:.1f} bits)" for motif in chosen[:4])
    figure.alt = f"Sequence logos of {len(chosen)} motifs; first: {words}."
    return figure
