"""What a training loop receives: how long and how fast, and what to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.checks import check_number, check_whole
from genokeras.training.optimizers import Update, get_update


@dataclass(frozen=True)
class DescentSettings:
    """How long and how fast to train.

    Parameters
    ----------
    learning_rate : float
        At the start; halved where the validation loss stays on a plateau for a third of ``patience``.
    batch_size : int
    patience : int
        Epochs in a row without an improvement of the validation loss after which training stops.
    max_epochs : int
    max_steps : int
        Looked at after every epoch.
    optimizer : str
        A name of ``genokeras.training.optimizers.OPTIMIZERS`` other than ``"kfac"``.
    seed : int

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    learning_rate: float = 1e-3
    batch_size: int = 64
    patience: int = 30
    max_epochs: int = 300
    max_steps: int = 64_000
    optimizer: str = "adam"
    seed: int = 0

    def __post_init__(self) -> None:
        check_number(self.learning_rate, "learning_rate", above=0)
        for name in ("batch_size", "patience", "max_epochs", "max_steps"):
            check_whole(getattr(self, name), name)
        check_whole(self.seed, "seed", 0)
        self.update()

    def update(self) -> Update:
        """The optimiser that the name stands for."""
        update = get_update(self.optimizer)
        if update.needs_factors:
            raise ParameterError(
                f"optimizer {self.optimizer!r} cannot train an auto-encoder or what is transferred from one: its "
                'factors are known for classifiers and regressors only. Choose another one, such as "adam".'
            )
        return update


class DescentObjective(ABC):
    """What is minimised: a loss on rows, and what the validation rows are scored by.

    Everything is written with ``keras.ops``; the arrays of ``constants`` and ``draw`` come back as tensors.

    Attributes
    ----------
    weights : list of numpy.ndarray
        To start from.
    n_rows : int
        Training rows.
    rate_factors : list of float
        What each weight's learning rate is multiplied by.
    score_names : tuple of str
        Of what :meth:`score` gives; the first is the loss to minimise.
    """

    weights: list[np.ndarray]
    n_rows: int
    rate_factors: list[float]
    score_names: tuple[str, ...]

    @abstractmethod
    def constants(self) -> dict[str, np.ndarray]:
        """The data."""

    def draw(self, rows: np.ndarray, epoch: int) -> list[np.ndarray]:
        """What the next steps need, ``rows`` ``(steps, batch)`` first; ``epoch`` counts from 1."""
        return [rows]

    @abstractmethod
    def loss(self, weights: list[Any], constants: dict[str, Any], drawn: list[Any], position: Any) -> Any:
        """Mean loss of the rows of one step, a scalar; ``position`` is the step's number among those drawn for."""

    @abstractmethod
    def score(self, weights: list[Any], constants: dict[str, Any]) -> Any:
        """A vector of numbers on the validation rows."""
