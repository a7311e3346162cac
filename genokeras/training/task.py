"""What packed training takes and gives: values, no live objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.errors import ParameterError
from genokeras.graph import Graph, Weights
from genokeras.networks import Columns, ShapeClass
from genokeras.support.checks import check_choice, check_number, check_whole
from genokeras.training.goals import LOSSES, MONITORS, Loss
from genokeras.training.optimizers import AdamUpdate, Update
from genokeras.training.schedules import Schedule

# Rows up to which every step uses all of them, and those of a mini-batch where there are more.
_WITHOUT_BATCHES, _BATCH = 1024, 512


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how finely a packed run trains.

    Parameters
    ----------
    max_steps : int
        Optimiser steps, never more; without mini-batches each is a pass over the training rows (``max_iter_num`` in
        classic AutoKeras).
    score_every : int
        Steps between two scorings of the held-out rows; the last step is scored in any case.
    min_steps : int
        A step counts as the best one only after these. What is best sooner is so by luck, or says what the weights it
        was inherited from said; without the choice of such steps ensembles predict better.
    patience : int
        Scorings in a row without improvement after which a trial is settled (``max_no_improvement_num``).
    min_improvement : float
        What counts as an improvement of the mean held-out loss, in nats (``min_loss_dec``).
    chunk_steps : int
        Steps in one compiled call, in whole scorings and at least one; the time limit is looked at between calls.
    batch_size : int, optional
        Rows in a mini-batch; with no more rows than this, every step uses all of them. By default 512 where there are more than 1,024
        rows: their noise costs nothing (log losses were lower with it), and a step less than half.
    schedule_steps : int, optional
        Steps over which the learning rate falls to zero; ``max_steps`` by default.
    keep_last : bool
        Keep the weights of the last step, not those with the best score: a final fit has no held-out rows.
    optimizer : Update
        AdamW by default, with a shorter memory of squares than Keras': runs are short.
    loss : {"cross_entropy", "mse"} or Loss
        A task is one.
    monitor : {"loss", "accuracy", "f1_score"}
        What decides which step is the best one.
    schedule : Schedule, optional
        Of the learning rate; a cosine to zero by default.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    max_steps: int = 200
    score_every: int = 5
    min_steps: int = 20
    patience: int = 5
    min_improvement: float = 1e-4
    chunk_steps: int = 50
    batch_size: int | None = None
    schedule_steps: int | None = None
    keep_last: bool = False
    optimizer: Update = AdamUpdate(beta_2=0.99)  # noqa: RUF009 - a frozen value
    loss: str | Loss = "cross_entropy"
    monitor: str = "loss"
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        check_whole(self.min_steps, "min_steps", 0)
        for name in ("max_steps", "score_every", "patience", "chunk_steps", "batch_size", "schedule_steps"):
            if getattr(self, name) is not None or name not in ("batch_size", "schedule_steps"):
                check_whole(getattr(self, name), name)
        if isinstance(self.loss, str):
            check_choice(self.loss, "loss", LOSSES)
        check_choice(self.monitor, "monitor", MONITORS)
        if self.loss == "mse" and self.monitor != "loss":
            raise ParameterError(
                f"monitor {self.monitor!r} is for classes; with loss='mse' it must be 'loss'."
            )
        check_number(self.min_improvement, "min_improvement", least=0)

    def batch_of(self, n_rows: int) -> int:
        """Rows of a step, where there are ``n_rows``."""
        usual = n_rows if n_rows <= _WITHOUT_BATCHES else _BATCH
        return min(n_rows, self.batch_size or usual)


@dataclass(frozen=True, kw_only=True)
class MemberTask:
    """Trials, each with its fold (and seed) members, to be trained in one compiled run.

    =========  ============================================================
    symbol     meaning
    =========  ============================================================
    M          members: trials x folds x seeds
    n          rows (samples)
    g          different inputs: one where all members see the same
    r          units of the inputs: the rank of the row-space views
    k          classes
    =========  ============================================================

    Attributes
    ----------
    inputs : numpy.ndarray
        ``(g, n, r)`` float32.
    targets : numpy.ndarray
        ``(n, k)`` float32: one-hot classes, or values.
    train_weights, score_weights : numpy.ndarray
        ``(M, n)``; 0 for rows that a member must not train on, or is not scored on. A member's training weights sum
        to 1; the score weights of one trial's members sum to 1 together.
    trial_of_member : numpy.ndarray
        ``(M,)`` int: which trial a member belongs to, from 0; in ascending order.
    learning_rate, weight_decay, dropout, input_rank : numpy.ndarray
        ``(M,)`` each.
    seed : int
        Of dropout masks and mini-batches.
    input_of_member : numpy.ndarray, optional
        ``(M,)`` int: which of the ``inputs`` a member sees; by default each in turn.
    """

    inputs: np.ndarray
    targets: np.ndarray
    train_weights: np.ndarray
    score_weights: np.ndarray
    trial_of_member: np.ndarray
    learning_rate: np.ndarray
    weight_decay: np.ndarray
    dropout: np.ndarray
    input_rank: np.ndarray
    seed: int
    input_of_member: np.ndarray | None = None

    @property
    def n_members(self) -> int:
        return len(self.trial_of_member)

    @property
    def n_trials(self) -> int:
        return int(self.trial_of_member.max()) + 1

    def inputs_seen(self) -> np.ndarray:
        """``(M,)`` which of the inputs each member sees."""
        if self.input_of_member is not None:
            return self.input_of_member
        return np.arange(self.n_members) % len(self.inputs)


@dataclass(frozen=True, kw_only=True)
class PackedTask(MemberTask):
    """Trials of one graph, trained by a program that is made for it.

    Attributes
    ----------
    graph : Graph
    activation : str
    weights : Weights
        Initial weights, leading axis M.
    columns : mapping of int to (int, int), optional
        First column and number of columns that each Input of the graph reads; by default its only one reads all.
    """

    graph: Graph
    activation: str
    weights: Weights
    columns: Columns | None = None


@dataclass(frozen=True)
class TrialNetwork:
    """The network of one trial among others.

    Attributes
    ----------
    graph : Graph
    activation : str
    weights : Weights
        Initial weights of the trial's members, which are its leading axis.
    columns : mapping of int to (int, int)
        First column and number of columns that each Input of the graph reads.
    seed : int
        Of dropout masks, whatever the trial is trained beside.
    """

    graph: Graph
    activation: str
    weights: Weights
    columns: Columns
    seed: int


@dataclass(frozen=True, kw_only=True)
class MixedTask(MemberTask):
    """Trials of different graphs of one shape class, trained by a program that is made for the class.

    Attributes
    ----------
    shape : ShapeClass
        That holds all the graphs; the inputs have its number of columns.
    networks : tuple of TrialNetwork
        One for each trial.
    """

    shape: ShapeClass
    networks: tuple[TrialNetwork, ...]


@dataclass(frozen=True)
class PackedResult:
    """The best step of every trial on the mean curve of its members, and what the members were then.

    Attributes
    ----------
    networks : tuple of Weights
        Of each trial: its members at the trial's best step (the last one with ``keep_last``).
    logits : numpy.ndarray
        ``(M, s, k)`` in inference mode at that step.
    rows : numpy.ndarray
        ``(M, s)`` the rows that these are of: all of them, in order, where every step uses all rows; otherwise those that
        the member does not train on and a sample of the others (a row may come twice).
    best_step : numpy.ndarray
        ``(trials,)`` int.
    best_loss : numpy.ndarray
        ``(trials,)`` mean held-out log loss at that step; infinite where it never was finite. Then the weights are the
        initial ones, the logits zero and the step 0.
    curves : numpy.ndarray
        ``(scorings, trials, 2)``: training and held-out log loss, the former on a sample where there are mini-batches.
    monitored : numpy.ndarray
        ``(scorings, trials)`` what decides, lower is better.
    curve_steps : numpy.ndarray
        ``(scorings,)`` the steps they were taken at.
    n_scorings : numpy.ndarray
        ``(trials,)`` how many there are of each trial; what is behind them in the curves is NaN.
    steps : int
        Steps that were run.
    """

    networks: tuple[Weights, ...]
    logits: np.ndarray
    rows: np.ndarray
    best_step: np.ndarray
    best_loss: np.ndarray
    curves: np.ndarray
    monitored: np.ndarray
    curve_steps: np.ndarray
    n_scorings: np.ndarray
    steps: int

    @property
    def weights(self) -> Weights:
        """Of all members, where the trials have one graph."""
        return {
            layer: {
                name: np.concatenate([weights[layer][name] for weights in self.networks]) for name in named
            }
            for layer, named in self.networks[0].items()
        }
