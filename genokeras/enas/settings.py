"""What a weight-sharing search takes: the rows it may see, and how it trains; values only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.errors import ParameterError
from genokeras.graph import ACTIVATIONS
from genokeras.graph.arcs import N_WIDTHS
from genokeras.support.checks import check_choice, check_number, check_whole, complaints
from genokeras.training.goals import LOSSES
from genokeras.training.optimizers import AdamUpdate, Update


@dataclass(frozen=True)
class SearchData:
    """The rows of a search, in row space, with their folds.

    =========  ============================================================
    symbol     meaning
    =========  ============================================================
    F          folds
    n          rows (samples)
    g          different inputs: F, or 1 where all folds see the same
    r          units of the inputs
    k          outputs: classes or values
    =========  ============================================================

    Attributes
    ----------
    inputs : numpy.ndarray
        ``(g, n, r)`` float32.
    targets : numpy.ndarray
        ``(n, k)`` float32: one-hot classes, or values.
    train, held_out : numpy.ndarray
        ``(F, n)`` bool, or weights of at least 0: what each row counts in training and in scoring.

    Raises
    ------
    ParameterError
        If shapes do not fit, or a fold trains on a row that it is scored on, has no row to train on or none to score.
    """

    inputs: np.ndarray
    targets: np.ndarray
    train: np.ndarray
    held_out: np.ndarray

    def __post_init__(self) -> None:
        for name in ("inputs", "targets", "train", "held_out"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype="float32"))
        folds, rows = self.train.shape if self.train.ndim == 2 else (0, 0)
        fits = (
            self.inputs.ndim == 3
            and self.targets.ndim == 2
            and self.inputs.shape[0] in (1, folds)
            and self.inputs.shape[1] == rows == len(self.targets)
            and self.held_out.shape == self.train.shape
        )
        if not fits:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in vars(self).items())
            raise ParameterError(
                "expected inputs (folds or 1, rows, units), targets (rows, outputs), train and held_out (folds, rows); "
                f"got {shapes}."
            )
        for fold, (train, held_out) in enumerate(zip(self.train, self.held_out, strict=True)):
            both = int(np.sum((train > 0) & (held_out > 0)))
            if both:
                raise ParameterError(f"fold {fold} trains on {both} of the rows that it is scored on.")
            if not train.any() or not held_out.any():
                raise ParameterError(f"fold {fold} has no row to {'score' if train.any() else 'train on'}.")

    @property
    def n_folds(self) -> int:
        return len(self.train)


_COUNTS = ("steps", "arcs_per_step", "batch_size", "chunk_steps", "patience", "snapshots", "scored_rows")


@dataclass(frozen=True)
class SupernetSettings:
    """How the shared weights are trained.

    Parameters
    ----------
    steps : int
        Optimiser steps at most.
    arcs_per_step : int
        Arcs that a step trains, a multiple of 5: each width of a layer comes equally often.
    batch_size : int
        Rows in a mini-batch; with no more rows than this, every step uses all of them.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls to zero along a cosine.
    child_l2_reg : float
        Factor of the penalty, half the sum of the squared kernels.
    dropout : float
        In [0, 1).
    activation : str
    loss : {"cross_entropy", "mse"}
    optimizer : Update
    chunk_steps : int
        Steps in one compiled call. Behind each, a sample of arcs is scored and the time limit is looked at.
    min_steps : int
        What is best sooner than this does not count, as in the training of trials.
    patience : int
        Scorings in a row without improvement after which training ends.
    snapshots : int
        States of the weights, taken along the training, that arcs are scored by, at most; 1 is that of the best step.
    scored_rows : int
        Held-out rows of a fold that arcs are scored on, at most; of more a fixed sample is drawn.
    seed : int

    Raises
    ------
    ParameterError
        If a value is out of its range; the message names all that are.
    """

    steps: int = 200
    arcs_per_step: int = N_WIDTHS
    batch_size: int = 256
    learning_rate: float = 0.001
    weight_decay: float = 0.1
    child_l2_reg: float = 0.0
    dropout: float = 0.2
    activation: str = "relu"
    loss: str = "cross_entropy"
    optimizer: Update = AdamUpdate(beta_2=0.99)  # noqa: RUF009 - a frozen value
    chunk_steps: int = 10
    min_steps: int = 20
    patience: int = 5
    snapshots: int = 5
    scored_rows: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        counts = {name: getattr(self, name) for name in _COUNTS}
        rates = {name: getattr(self, name) for name in ("weight_decay", "child_l2_reg")}
        problems = complaints(check_whole, counts)
        if not problems and self.arcs_per_step % N_WIDTHS:
            problems.append(f"arcs_per_step must be a multiple of {N_WIDTHS}, got {self.arcs_per_step}.")
        problems += [
            *complaints(check_whole, {"min_steps": self.min_steps, "seed": self.seed}, least=0),
            *complaints(check_number, {"learning_rate": self.learning_rate}, above=0),
            *complaints(check_number, rates, least=0),
            *complaints(check_number, {"dropout": self.dropout}, least=0, below=1),
            *complaints(check_choice, {"activation": self.activation}, known=ACTIVATIONS),
            *complaints(check_choice, {"loss": self.loss}, known=LOSSES),
        ]
        if problems:
            raise ParameterError(" ".join(problems))


def scored_part(data: SearchData, most: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The rows that each fold holds out, ``(F, s, ...)``; a fold with fewer repeats its first one, which then weighs 0."""
    chosen = []
    for held_out in data.held_out:
        rows = np.flatnonzero(held_out)
        chosen.append(np.sort(rng.permutation(rows)[:most]) if len(rows) > most else rows)
    longest = max(map(len, chosen))
    rows = np.stack([np.pad(r, (0, longest - len(r)), constant_values=r[0]) for r in chosen])
    real = np.arange(longest) < np.array([len(r) for r in chosen])[:, None]
    weights = real * np.take_along_axis(data.held_out, rows, axis=1)
    inputs = np.stack([data.inputs[fold % len(data.inputs)][rows[fold]] for fold in range(data.n_folds)])
    return {"x": inputs, "targets": data.targets[rows], "weights": weights / weights.sum()}
