"""The classifier for texts."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from genokeras.data import TextData, load_texts
from genokeras.estimators.spatial_base import SpatialClassifier
from genokeras.estimators.spatial_fit import Fathers
from genokeras.graph import text_cnn
from genokeras.searchers import HyperSpace
from genokeras.spatial import TextEncoder, fit_text_encoder

SPACE = HyperSpace(
    learning_rate=(5e-4, 1e-3, 2e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Rows of tf-idf have unit length, so that the penalties that fit them are small.
WEIGHT_DECAYS = (3e-4, 3e-5, 3e-6)


class TextClassifier(SpatialClassifier):
    """Grows convolutional networks for texts, and says honestly how good they are.

    A linear model of tf-idf of words and pairs of words comes first, and is hard to beat; networks read the words in their
    order, through an embedding. Both are delivered together where that predicts best.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, random_state, resume, verbose
        As of ``SequenceClassifier``.
    searcher_args : dict, optional
        As of ``SequenceClassifier``; fathers are "text_cnn", "small_text_cnn" or graphs.

    Attributes
    ----------
    classes_, estimate_, path_, n_trials_, stop_reason_, notes_
        As of ``SequenceClassifier``.
    model_ : keras.Model
        What is delivered: strings in on TensorFlow, token ids and tf-idf numbers elsewhere; class probabilities out.

    References
    ----------
    Kim (2014), Convolutional neural networks for sentence classification, EMNLP.

    Examples
    --------
    >>> from genokeras import TextClassifier
    >>> clf = TextClassifier(path="runs/spam", random_state=0)
    >>> clf.fit("sms.csv", "label", time_limit=120)  # doctest: +SKIP
    >>> clf.predict(["Win a prize now"])  # doctest: +SKIP
    """

    kind: ClassVar[str] = "text"

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        time_limit: float | None = None,
        groups: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x : path, TextData, DataFrame or sequence of str
            Strings, a table with a column ``text``, or a folder with a folder of .txt files for each class; see
            ``gk.load_texts``.
        y : array-like of shape (n_texts,), str or path, optional
            Labels, a column of the table, or a file of labels by name.
        time_limit : float, optional
            In place of the constructor's.
        groups : array-like of shape (n_texts,) or str, optional
            Texts of one group (an author, say) stay on one side of every split.
        validation_data : (x, y), optional
            Trials are scored on these texts; no network trains on them.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data cannot be used; nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        """
        return self._fit(x, y, time_limit, groups, validation_data)

    def _read(self, x: Any, y: Any, groups: Any, extra: Any) -> TextData:
        # A text without words can be answered, but teaches nothing.
        return load_texts(
            x, y, groups=groups, empty="keep" if y is None and hasattr(self, "_run") else "error"
        )

    def _fit_encoder(
        self, data: TextData, codes: np.ndarray, rng: np.random.Generator
    ) -> tuple[TextEncoder, tuple[str, ...]]:
        return fit_text_encoder(data)

    def _fathers(self, encoder: TextEncoder, n_classes: int) -> Fathers:
        shape, vocabulary = encoder.input_shape, encoder.vocabulary.size
        known = {
            "text_cnn": partial(text_cnn, shape, n_classes, vocabulary),
            "small_text_cnn": partial(text_cnn, shape, n_classes, vocabulary, units=32, filters=32),
        }
        return Fathers(known, tuple(known), SPACE, WEIGHT_DECAYS)
