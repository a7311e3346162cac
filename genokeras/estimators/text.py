"""Texts, and the classifier for them."""

from __future__ import annotations

import warnings
from functools import partial
from typing import ClassVar, final

import numpy as np

from genokeras.data import TextData, load_texts
from genokeras.encoders import NetworkEncoder, TextEncoder, fit_text_encoder
from genokeras.engine import Fathers
from genokeras.estimators.content import ContentKind, Given
from genokeras.estimators.faces import RegressorFace
from genokeras.estimators.fine_tuning import TunedClassifier
from genokeras.estimators.networks import NetworkEstimator, NetworkKind
from genokeras.graph import text_attention, text_cnn
from genokeras.searchers import HyperSpace
from genokeras.support.wording import counted, listed
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
class Texts(NetworkKind):
    """Texts as they came."""

    name: ClassVar[str] = "text"

    def read(self, given: Given) -> TextData:
        # A text without words can be answered, but teaches nothing.
        return load_texts(given.x, given.y, groups=given.groups, empty="error" if given.training else "keep")

    def warn_of_unread(self, data: TextData, encoder: NetworkEncoder) -> None:
        if not isinstance(encoder, TextEncoder):  # what words a backbone knows, only it can tell
            return
        unread = encoder.says_nothing(data.texts)
        if unread.any():
            named = listed((data.names[row] for row in np.flatnonzero(unread)), 5)
            warnings.warn(
                f"{data.source}: {counted(int(unread.sum()), 'text has', 'texts have')} no word that the training texts had, or no word at all: "
                f"{named}. "
                "Such an answer says nothing of the text itself: leave it out, or take it with care.",
                stacklevel=4,
            )

    def fit_encoder(
        self, data: TextData, rng: np.random.Generator, seconds: float
    ) -> tuple[TextEncoder, tuple[str, ...]]:
        return fit_text_encoder(data, seconds)

    def plain_encoder(self, data: TextData) -> tuple[TextEncoder, tuple[str, ...]]:
        # The length that our networks read does not matter to a backbone.
        return fit_text_encoder(data)[0], ()

    def fathers(self, encoder: TextEncoder, task: Task) -> Fathers:
        shape, n_outputs, vocabulary = encoder.input_shape, task.n_outputs, encoder.vocabulary.size
        known = {
            "text_cnn": partial(text_cnn, shape, n_outputs, vocabulary),
            "text_attention": partial(text_attention, shape, n_outputs, vocabulary),
            "small_text_cnn": partial(text_cnn, shape, n_outputs, vocabulary, units=32, filters=32),
        }
        decays = RIDGE_WEIGHT_DECAYS if task.kind == "numbers" else WEIGHT_DECAYS
        return Fathers(known, ("text_cnn", "text_attention"), SPACE, decays)


class TextClassifier(TunedClassifier, NetworkEstimator):
    """Grows convolutional networks for texts, and says honestly how good they are.

    Linear models of tf-idf of words, pairs of words and parts of words come first, and are hard to beat; networks read the words in their
    order, through an embedding. Both are delivered together where that predicts best.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, executor, executor_args, random_state, resume, verbose, memory_limit, keep, callbacks, metrics
        As in ``SequenceClassifier``.
    searcher_args : dict, optional
        As in ``SequenceClassifier``; fathers are "text_cnn" and "text_attention", "small_text_cnn" or graphs.
    backbone : keras.Model or str, optional
        A pretrained network that reads strings (TensorFlow only), or the name or folder of a keras-hub preset
        (``pip install "genokeras[pretrained]"``). It is frozen: a copy makes features of each text (averages over tokens), on which small heads are
        searched; fathers are then "mlp", "deep_mlp" or graphs of the features. With a preset the delivered model reads the tokens
        that the classifier makes of strings. ``fine_tune`` trains the whole afterwards.
    class_weight, threshold, ordered : as in ``GenomeClassifier``, optional

    Attributes
    ----------
    classes_, estimate_, path_, n_trials_, growth_, stop_reason_, notes_
        As in ``SequenceClassifier``.
    model_ : keras.Model
        What is delivered: strings in on TensorFlow, token ids and tf-idf numbers elsewhere; class probabilities out.

    Notes
    -----
    ``x`` is strings, ``TextData``, a table with a column ``text``, or a folder with a folder of .txt files for each class; see
    ``gk.load_texts``. ``y`` is labels, a column of the table, or a file of labels by name.

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

    content: ClassVar[ContentKind] = Texts()


class TextRegressor(RegressorFace, NetworkEstimator):
    """Grows convolutional networks that answer numbers for texts, and says honestly how good they are.

    Everything is as in ``TextClassifier``, with a ridge regression of tf-idf in the place of the logistic one.

    Parameters
    ----------
    path, time_limit, objective, folds, searcher, max_trials, searcher_args, executor, executor_args, random_state, resume, verbose, memory_limit, keep, callbacks, metrics, backbone
        As in ``SequenceRegressor``; fathers as in ``TextClassifier``.

    Attributes
    ----------
    targets_, estimate_, path_, n_trials_, growth_, stop_reason_, notes_
        As in ``SequenceRegressor``.
    model_ : keras.Model
        What is delivered: strings in on TensorFlow, token ids and tf-idf numbers elsewhere; numbers in the units of the targets out.

    Notes
    -----
    ``x`` is strings, ``TextData``, a table with a column ``text``, or a folder with a folder of .txt files for each class; see
    ``gk.load_texts``. ``y`` is labels, a column of the table, or a file of labels by name.

    Examples
    --------
    >>> from genokeras import TextRegressor
    >>> reg = TextRegressor(path="runs/stars", random_state=0)
    >>> reg.fit("reviews.csv", "stars", time_limit=120)  # doctest: +SKIP
    """

    content: ClassVar[ContentKind] = Texts()
