"""What answers depend on, place by place, as files: a table of letters or words, or arrays and pictures of pixels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import matplotlib.style
import numpy as np
import pandas as pd

from genokeras.errors import ParameterError
from genokeras.report.picture import Picture, shown
from genokeras.support.files import write_arrays, written_aside
from genokeras.visible import plain_table

SCORES_TABLE, SCORES_ARRAYS, PICTURES = "scores.csv", "scores.npz", "pictures.pdf"
MOST_PICTURES = 20
_GAP = "-"
_PAIRS = 2


class Places(Protocol):
    """An explanation place by place; see ``SequenceClassifier.explain``."""

    @property
    def values(self) -> np.ndarray: ...

    @property
    def outputs(self) -> np.ndarray: ...

    @property
    def output_names(self) -> tuple[str, ...]: ...

    @property
    def sample_names(self) -> tuple[str, ...]: ...

    @property
    def places(self) -> tuple[tuple[str, ...], ...]: ...

    @property
    def method(self) -> str: ...


def write_places(
    explanation: Places, folder: str | os.PathLike[str], images: np.ndarray | None = None
) -> list[Path]:
    """Write the scores of letters and words as a table, those of pixels as arrays and pictures.

    Parameters
    ----------
    explanation : Places
    folder : path-like
        Made where it is missing; files of these names in it are replaced.
    images : numpy.ndarray, optional
        ``(n_samples, height, width[, channels])`` the images that were explained, for the pictures.

    Returns
    -------
    list of pathlib.Path
        ``scores.csv``, see :func:`place_table`. Of images ``scores.npz`` with ``values`` ``(n_samples, height, width, n_outputs)``,
        ``outputs``, ``output_names`` and ``sample_names``; and, of the first 20 images, ``pictures.pdf``.

    Raises
    ------
    ParameterError
        If there are not as many images as explained samples.
    RunFolderError
        If the folder cannot be written.
    """
    target = Path(folder)
    if explanation.places:
        with written_aside(target / SCORES_TABLE) as aside:
            plain_table(place_table(explanation)).to_csv(aside, index=False, float_format="%.6g")
        return [target / SCORES_TABLE]
    # Strings of a fixed width, so that nobody has to unpickle.
    names = {
        name: np.asarray(getattr(explanation, name), dtype=str) for name in ("output_names", "sample_names")
    }
    arrays = {"values": explanation.values, "outputs": explanation.outputs, **names}
    write_arrays(target / SCORES_ARRAYS, arrays, compressed=True)
    drawn = [] if images is None else [place_figure(explanation, images).save(target / PICTURES)]
    return [target / SCORES_ARRAYS, *drawn]


def place_table(explanation: Places) -> pd.DataFrame:
    """Scores of letters or words, a row a place.

    Returns
    -------
    DataFrame
        ``sample``; ``place``, from 1, among the letters or words that the model reads; ``letter`` or ``word``; then one column a
        class. Where a sequence was padded there is no row.
    """
    what = "word" if explanation.method == "leave_one_out" else "letter"
    samples: list[str] = []
    numbers: list[int] = []
    written: list[str] = []
    kept: list[np.ndarray] = []
    for i, places in enumerate(explanation.places):
        used = [j for j, place in enumerate(places) if what == "word" or place != _GAP]
        if not used:
            continue
        # A gap within a sequence is a place as any other, those before it and behind it are padding.
        inside = range(used[0], used[-1] + 1)
        samples += [explanation.sample_names[i]] * len(inside)
        numbers += range(1, len(inside) + 1)
        written += [places[j] for j in inside]
        kept.append(explanation.values[i, inside.start : inside.stop])
    values = np.concatenate(kept) if kept else np.empty((0, len(explanation.output_names)))
    front = pd.DataFrame({"sample": samples, "place": numbers, what: written})
    return pd.concat([front, pd.DataFrame(values, columns=list(explanation.output_names))], axis=1)


@matplotlib.style.context("default")
def place_figure(explanation: Places, images: np.ndarray, most: int = MOST_PICTURES) -> Picture:
    """Images beside what speaks for the class that each was taken for (red) and against it (blue).

    Raises
    ------
    ParameterError
        If there are not as many images as explained samples.
    """
    if len(images) != len(explanation.values):
        raise ParameterError(
            f"images must be those that were explained: expected {len(explanation.values)}, got {len(images)}."
        )
    n = min(most, len(images))
    rows = -(-n // _PAIRS)
    figure = Picture(figsize=(4.0 * _PAIRS, 2.1 * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, 2 * _PAIRS, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    names = shown(explanation.output_names)
    for i in range(n):
        said = int(explanation.outputs[i].argmax())
        scores = explanation.values[i, ..., said]
        largest = float(np.abs(scores).max()) or 1.0
        axes[2 * i].imshow(_drawable(images[i]), cmap="gray")
        axes[2 * i].set_title(shown([explanation.sample_names[i]])[0], fontsize=8)
        axes[2 * i + 1].imshow(scores, cmap="RdBu_r", vmin=-largest, vmax=largest)
        axes[2 * i + 1].set_title(f"{names[said]} ({explanation.outputs[i, said]:.2f})", fontsize=8)
    figure.alt = f"{n} images, each beside the pixels that speak for (red) and against (blue) the class it was taken for."
    return figure


def _drawable(image: np.ndarray) -> np.ndarray:
    """``(height, width)`` grey or ``(height, width, 3)`` from 0 to 1; of other numbers of channels the mean."""
    values = np.asarray(image, dtype="float64")
    values = values[..., None] if values.ndim == 2 else values
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / ((high - low) or 1.0)
    return scaled[..., :3] if values.shape[-1] in (3, 4) else scaled.mean(axis=-1)
