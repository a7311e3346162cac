"""Sentiments and topics of texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Self

import keras
import numpy as np
from scipy.special import expit, softmax

from genokeras.errors import DataError, ParameterError
from genokeras.pretrained.base import Pretrained, predict_prepared
from genokeras.pretrained.presets import load_task
from genokeras.support.wording import counted, duplicates, listed

_BATCH = 32


class SentimentAnalysis(Pretrained):
    """How positive texts are.

    Examples
    --------
    >>> from genokeras.pretrained import SentimentAnalysis
    >>> SentimentAnalysis().load("bert_tiny_en_uncased_sst2").predict("What a wonderful film!")  # doctest: +SKIP
    0.99
    """

    _positive = 1

    def load(self, preset: str | os.PathLike[str], *, positive: int = 1) -> Self:
        """Load a text classifier of one or two classes.

        Parameters
        ----------
        preset : str or path-like
            ``"bert_tiny_en_uncased_sst2"`` (English film reviews), an address such as ``"hf://user/model"``, or a folder
            that ``save_to_preset`` wrote.
        positive : {0, 1}
            Which of two classes is the positive one.

        Raises
        ------
        ParameterError
            If keras-hub is missing, there is no such preset, or it is no trained classifier of one or two classes.
        DataFileError
            If the files cannot be downloaded or read.
        """
        if positive not in (0, 1):
            raise ParameterError(f"positive must be 0 or 1, the class of positive texts: got {positive!r}.")
        task = load_task("TextClassifier", preset)
        if task.num_classes > 2:
            raise ParameterError(
                f"{str(preset)!r} tells {task.num_classes} classes apart; sentiment needs one or two. TopicClassifier can name them."
            )
        self._task, self._positive = task, int(positive)
        return self

    def predict(self, x: str | Iterable[str]) -> float | np.ndarray:
        """The probability that a text is positive.

        Parameters
        ----------
        x : str or iterable of str
            What is longer than the preset's sequence length is cut.

        Returns
        -------
        float, or ndarray of shape (n_texts,)
            A number for one text, an array for several.

        Raises
        ------
        NotFittedError
            Before ``load``.
        DataError
            If a text is empty or none.
        """
        found = _probabilities(self._loaded_task(), x)[:, -1 if self._positive else 0]
        return float(found[0]) if isinstance(x, str) else found


class TopicClassifier(Pretrained):
    """What texts are about.

    Attributes
    ----------
    topics_ : tuple of str
        After ``load``.

    Examples
    --------
    >>> from genokeras.pretrained import TopicClassifier
    >>> topics = ["world", "sports", "business", "science"]
    >>> TopicClassifier().load("my_news_preset", topics).predict("The match ended in a draw.")  # doctest: +SKIP
    'sports'
    """

    topics_: tuple[str, ...] = ()

    def load(self, preset: str | os.PathLike[str], topics: Sequence[str] | None = None) -> Self:
        """Load a text classifier.

        Parameters
        ----------
        preset : str or path-like
            An address such as ``"hf://user/model"``, or a folder that ``save_to_preset`` wrote. Of the names that keras-hub
            knows, nearly all are backbones without trained classes.
        topics : sequence of str
            The names of the classes in the order of training; presets do not hold them.

        Raises
        ------
        ParameterError
            If keras-hub is missing, there is no such preset, it is no trained classifier, or the names do not fit it.
        DataFileError
            If the files cannot be downloaded or read.
        """
        task = load_task("TextClassifier", preset)
        self.topics_ = _checked_topics(topics, max(2, task.num_classes), str(preset))
        self._task = task
        return self

    def predict(self, x: str | Iterable[str]) -> str | list[str]:
        """The likeliest topic: a name for one text, a list of names for several.

        Parameters
        ----------
        x : str or iterable of str
            What is longer than the preset's sequence length is cut.

        Raises
        ------
        NotFittedError
            Before ``load``.
        DataError
            If a text is empty or none.
        """
        names = [self.topics_[i] for i in _probabilities(self._loaded_task(), x).argmax(axis=1)]
        return names[0] if isinstance(x, str) else names

    def predict_proba(self, x: str | Iterable[str]) -> np.ndarray:
        """Probabilities in the order of ``topics_``: shape (n_topics,) for one text, (n_texts, n_topics) for several.

        Raises
        ------
        NotFittedError
            Before ``load``.
        DataError
            If a text is empty or none.
        """
        found = _probabilities(self._loaded_task(), x)
        return found[0] if isinstance(x, str) else found


def _checked_topics(topics: Sequence[str] | None, classes: int, preset: str) -> tuple[str, ...]:
    names = () if topics is None or isinstance(topics, str) else tuple(str(name) for name in topics)
    if len(names) != classes:
        given = f"got {len(names)}: {listed(names)}" if names else "got none"
        raise ParameterError(
            f"{preset!r} has {classes} classes: pass topics=[...] with a name for each, in the order of training; {given}."
        )
    if len(set(names)) < classes:
        raise ParameterError(f"topics must differ: {listed(duplicates(names))} occurs more than once.")
    return names


def _probabilities(task: Any, x: str | Iterable[str]) -> np.ndarray:
    """Probabilities of shape (n_texts, n_classes), of two classes also where the task has one output."""
    tokens = keras.tree.map_structure(
        lambda values: np.asarray(keras.ops.convert_to_numpy(values)), task.preprocessor(_checked_texts(x))
    )
    scores = np.asarray(predict_prepared(task, tokens, _BATCH), dtype=np.float64)
    # A task without an activation of its own answers with logits.
    bare = getattr(getattr(task, "activation", None), "__name__", "linear") == "linear"
    if scores.shape[1] == 1:
        positive = expit(scores) if bare else scores
        return np.concatenate([1 - positive, positive], axis=1)
    return softmax(scores, axis=1) if bare else scores


def _checked_texts(x: str | Iterable[str]) -> list[str]:
    if not isinstance(x, str) and (not isinstance(x, Iterable) or isinstance(x, bytes)):
        raise DataError(f"x must be a text or several: got {type(x).__name__}.")
    texts = [x] if isinstance(x, str) else list(x)
    if not texts:
        raise DataError("x must be a text or several: got none.")
    odd = [i for i, text in enumerate(texts) if not isinstance(text, str)]
    if odd:
        raise DataError(
            f"expected text; {counted(len(odd), 'item is', 'items are')} none: {listed(odd)} (the first is a "
            f"{type(texts[odd[0]]).__name__})."
        )
    blank = [i for i, text in enumerate(texts) if not text.strip()]
    if blank:
        raise DataError(
            f"{counted(len(blank), 'text is', 'texts are')} empty, of {len(texts)}: number {listed(blank)}, counted from 0. Leave out "
            f"{'it' if len(blank) == 1 else 'them'}."
        )
    return [str(text) for text in texts]
