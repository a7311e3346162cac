"""What the samples of an estimator are: how they are read and encoded, and what a search of them starts from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from genokeras.data import ImageData, SequenceData, TextData
from genokeras.encoders import Encoder
from genokeras.engine.spatial_start import Aim, Fathers
from genokeras.tasks.task import Task

Content = SequenceData | ImageData | TextData


class ContentKind(ABC):
    """Sequences, images or texts; classifiers and regressors of one kind share it."""

    name: ClassVar[str]

    @abstractmethod
    def read(self, x: Any, y: Any, groups: Any, extra: Any, training: bool) -> Content:
        """Samples that were read and checked; those to be predicted have no labels.

        Parameters
        ----------
        x, y, groups, extra
            As of the estimator's ``fit``.
        training : bool
            Whether a network is to learn from them, and not just to answer them.
        """

    @abstractmethod
    def fit_encoder(self, data: Any, aim: Aim, rng: np.random.Generator) -> tuple[Encoder, tuple[str, ...]]:
        """The encoder of training data, and notes on what it does to them.

        Parameters
        ----------
        data : SequenceData, ImageData or TextData
        aim : Aim
            What is to be told of them.
        rng : numpy.random.Generator
        """

    @abstractmethod
    def plain_encoder(self, data: Any) -> tuple[Encoder, tuple[str, ...]]:
        """As `fit_encoder`, of samples that a backbone reads as they are."""

    @abstractmethod
    def fathers(self, encoder: Any, task: Task) -> Fathers:
        """What a search starts from."""
