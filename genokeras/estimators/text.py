"""Texts, and the classifier for them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self, final

import numpy as np

from genokeras.data import TextData, load_texts
from genokeras.encoders import TextEncoder, fit_text_encoder
from genokeras.engine.spatial_start import Aim, Fathers
from genokeras.estimators.content import ContentKind
from genokeras.estimators.spatial_classifier import SpatialClassifier
from genokeras.graph import text_cnn
from genokeras.searchers import HyperSpace
from genokeras.tasks.task import Task

SPACE = HyperSpace(
    learning_rate=(5e-4, 1e-3, 2e-3),
    weight_decay=(1e-3, 1e-2, 1e-1),
    dropout=(0.3, 0.5),
    activation=("relu", "gelu"),
    views=("tensor",),
)
# Rows of tf-idf have unit length, so that the penalties that fit them are small.
WEIGHT_DECAYS = (2e-5, 1e-4, 4e-6)
RIDGE_WEIGHT_DECAYS = (1e-3, 1e-2, 1e-4)


@final
class Texts(ContentKind):
    """Texts as they came."""

    name: ClassVar[str] = "text"

    def read(self, x: Any, y: Any, groups: Any, extra: Any, training: bool) -> TextData:
        # A text without words can be answered, but teaches nothing.
        return load_texts(x, y, groups=groups, empty="error" if training else "keep")

    def fit_encoder(
        self, data: TextData, aim: Aim, rng: np.random.Generator
    ) -> tuple[TextEncoder, tuple[str, ...]]:
        return fit_text_encoder(data)

    def plain_encoder(self, data: TextData) -> tuple[TextEncoder, tuple[str, ...]]:
        # Where networks of our own would stop reading is nothing to a backbone.
        return fit_text_encoder(data)[0], ()

    def fathers(self, encoder: TextEncoder, task: Task) -> Fathers:
        shape, n_outputs, vocabulary = encoder.input_shape, task.n_outputs, encoder.vocabulary.size
        known = {
            "text_cnn": partial(text_cnn, shape, n_outputs, vocabulary),
            "small_text_cnn": partial(text_cnn, shape, n_outputs, vocabulary, units=32, filters=32),
        }
        decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
        return Fathers(known, tuple(known), SPACE, decays)


class TextClassifier(SpatialClassifier):
    """Grows convolutional networks for texts, and says honestly how good they are.

    Linear models of tf-idf of words, pairs of words and parts of words come first, and are hard to beat; networks read the words in their
    order, through an embedding. Both are delivered together where that predicts best.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, random_state, resume, verbose
        As of ``SequenceClassifier``.
    searcher_args : dict, optional
        As of ``SequenceClassifier``; fathers are "text_cnn", "small_text_cnn" or graphs.
    backbone : keras.Model or str, optional
        A pretrained network that reads strings (TensorFlow only), or the name or folder of a keras-hub preset
        (``pip install genokeras[pretrained]``). It is frozen: a copy makes features of each text (averages over tokens), on which small heads are
        searched; fathers are then "mlp", "deep_mlp" or graphs of the features. With a preset the delivered model reads the tokens
        that the classifier makes of strings. ``fine_tune`` trains the whole afterwards.

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
        x : path, TextData, DataFrame or sequence of str
            Strings, a table with a column ``text``, or a folder with a folder of .txt files for each class; see
            ``gk.load_texts``.
        y : array-like of shape (n_texts,), str or path, optional
            Labels, a column of the table, or a file of labels by name.
        time_limit : float, optional
            In place of the constructor's.
        groups : array-like of shape (n_texts,) or str, optional
            Texts of one group (an author, say) stay on one side of every split.
        sample_weight : array-like of shape (n_texts,), optional
            How much each counts, in training and in scores.
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
        return self._fit(x, y, time_limit, groups, validation_data, sample_weight)
