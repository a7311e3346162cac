"""The regressors for sequences, images and texts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

from genokeras.estimators.image import Images
from genokeras.estimators.sequence import Sequences, motifs_of
from genokeras.estimators.spatial_regressor import SpatialRegressor
from genokeras.estimators.text import Texts
from genokeras.explain import Motif, write_meme


class SequenceRegressor(SpatialRegressor):
    """Grows convolutional networks that answer numbers for DNA or RNA, and says honestly how good they are.

    Everything is as of ``SequenceClassifier``, with a ridge regression in the place of the logistic one: linear models first, then
    networks that scan for motifs; whether the other strand says the same, and whether places are exact, is found out from the data.

    Parameters
    ----------
    objective : str, default="r2"
        "r2", "mse", "rmse", "mae", "pearson" or "spearman".
    folds : int, optional
        Cross-validation folds, at random; grouped ones where ``fit`` gets groups. By default as of
        ``SequenceClassifier``.
    path, time_limit, searcher, max_trials, searcher_args, random_state, resume, verbose, backbone
        As of ``SequenceClassifier``; a backbone stays frozen.

    Attributes
    ----------
    targets_ : tuple of str
        What the numbers are called.
    estimate_ : dict
        ``metric``, ``value``, ``interval`` (95 %), ``linear_baseline``, ``chance`` (the mean as the answer to everything),
        ``uncorrected``, and ``also``: the same for other metrics.
    model_ : keras.Model
        What is delivered: probabilities of A, C, G, T ``(length, 4)`` in, numbers in the units of the targets out.
    path_, n_trials_, stop_reason_, notes_
        As of ``SequenceClassifier``.

    Examples
    --------
    >>> from genokeras import SequenceRegressor
    >>> reg = SequenceRegressor(path="runs/expression", random_state=0)
    >>> reg.fit("promoters.csv", "expression", time_limit=600)  # doctest: +SKIP
    >>> reg.predict(["ACGT" * 20])  # doctest: +SKIP
    """

    content = Sequences()

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        extra: Any = None,
        validation_data: tuple[Any, ...] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x, time_limit, groups, sample_weight, extra, validation_data
            As of ``SequenceClassifier.fit``.
        y : array-like of shape (n_sequences,) or (n_sequences, n_targets), str, list of str or path, optional
            Numbers; a column of the table, several columns, or a key of FASTA headers; or a file of numbers by name.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data cannot be used, such as a target that is missing, no number, infinite, or the same for all sequences;
            nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        """
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight, extra)

    def motifs(self) -> list[Motif]:
        """What the filters of the best networks look for; see ``SequenceClassifier.motifs``."""
        return motifs_of(self._fitted())

    def write_motifs(self, path: str | os.PathLike[str]) -> Path:
        """Write the motifs as a MEME file, which Tomtom, FIMO and their kin read.

        Raises
        ------
        RunFolderError
            If the file cannot be written.
        """
        return write_meme(self.motifs(), path)


class ImageRegressor(SpatialRegressor):
    """Grows convolutional networks that answer numbers for images, and says honestly how good they are.

    Everything is as of ``ImageClassifier``, but for one thing: training moves, turns and scales images at random only where the
    data say that the numbers do not depend on exact places and sizes (``notes_`` tells).

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, searcher_args, random_state, resume, verbose, backbone
        As of ``SequenceRegressor``; fathers as of ``ImageClassifier``.

    Attributes
    ----------
    targets_, estimate_, path_, n_trials_, stop_reason_, notes_
        As of ``SequenceRegressor``.
    model_ : keras.Model
        What is delivered: pixels as they came ``(height, width, channels)`` in, numbers in the units of the targets out.

    Examples
    --------
    >>> from genokeras import ImageRegressor
    >>> reg = ImageRegressor(path="runs/ages", random_state=0)
    >>> reg.fit("faces", "ages.csv", time_limit=600)  # doctest: +SKIP
    """

    content = Images()

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x, time_limit, groups, sample_weight, validation_data
            As of ``ImageClassifier.fit``.
        y : array-like of shape (n_images,) or (n_images, n_targets), or path
            Numbers, or a file of numbers by name.

        Returns
        -------
        self

        Raises
        ------
        DataError, RunFolderError, SearchError
            As of ``SequenceRegressor.fit``.
        """
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight)


class TextRegressor(SpatialRegressor):
    """Grows convolutional networks that answer numbers for texts, and says honestly how good they are.

    Everything is as of ``TextClassifier``, with a ridge regression of tf-idf in the place of the logistic one.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, searcher_args, random_state, resume, verbose, backbone
        As of ``SequenceRegressor``; fathers as of ``TextClassifier``.

    Attributes
    ----------
    targets_, estimate_, path_, n_trials_, stop_reason_, notes_
        As of ``SequenceRegressor``.
    model_ : keras.Model
        What is delivered: strings in on TensorFlow, token ids and tf-idf numbers elsewhere; numbers in the units of the targets out.

    Examples
    --------
    >>> from genokeras import TextRegressor
    >>> reg = TextRegressor(path="runs/stars", random_state=0)
    >>> reg.fit("reviews.csv", "stars", time_limit=120)  # doctest: +SKIP
    """

    content = Texts()

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x, time_limit, groups, sample_weight, validation_data
            As of ``TextClassifier.fit``.
        y : array-like of shape (n_texts,) or (n_texts, n_targets), str, list of str or path, optional
            Numbers, a column of the table or several, or a file of numbers by name.

        Returns
        -------
        self

        Raises
        ------
        DataError, RunFolderError, SearchError
            As of ``SequenceRegressor.fit``.
        """
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight)
