"""The problem of a run: samples as encoders read them, targets, task, folds, weights and groups, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from genokeras.encoders import Encoder, Rows, TableEncoder
from genokeras.encoders.row_files import packed_rows
from genokeras.engine.splits import FurtherSplits
from genokeras.errors import ParameterError
from genokeras.graph import Graph, HyperParameters, is_linear
from genokeras.support.digest import hex_digest
from genokeras.tasks.task import Task

# What a fingerprint covers.
PARTS = ("samples", "targets", "sample_weight", "groups")


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows, their targets, and which fold holds each of them out.

    Attributes
    ----------
    targets : numpy.ndarray
        ``(n_samples, ...)`` as the task has them: class numbers, or numbers.
    held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    sample_weight : numpy.ndarray
        ``(n_samples,)`` float64.
    """

    targets: np.ndarray
    held_out: np.ndarray
    sample_weight: np.ndarray

    @property
    def n_samples(self) -> int:
        return len(self.targets)

    @property
    def n_folds(self) -> int:
        return len(self.held_out)

    @property
    def scored(self) -> np.ndarray:
        """``(n_samples,)`` bool: rows that some fold holds out."""
        return np.asarray(self.held_out.any(axis=0))


@dataclass(frozen=True, eq=False)
class Problem(ScoredRows):
    """What all trials of a run have in common.

    Attributes
    ----------
    encoder : Encoder
    rows : dict of str to numpy.ndarray
        What trials read of the samples, ``(n_samples, ...)`` each: of tables the coordinates in every view and fold, else
        what the encoder makes of samples.
    task : Task
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    groups : numpy.ndarray or None
        ``(n_samples,)`` numbers of the groups.
    moved : numpy.ndarray or None
        ``(n_folds,)`` bool: whether training in a fold may move samples at random; None where the encoder alone decides.
    fingerprint : mapping of str to str
        A digest of each of ``PARTS``; a resumed run must have the same.
    further : FurtherSplits or None
        Splits into folds, beside the one above, that replicates are trained on.
    notes : tuple of str
        What was left out when it was made, for lack of time.
    """

    encoder: Encoder
    rows: Rows
    task: Task
    train: np.ndarray
    groups: np.ndarray | None = None
    moved: np.ndarray | None = None
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    further: FurtherSplits | None = None
    notes: tuple[str, ...] = ()

    @property
    def widths(self) -> dict[str, int]:
        """Width of a network's input, by view."""
        return self.encoder.widths

    @property
    def n_splits(self) -> int:
        """Splits into folds that a trial can be trained on."""
        return 1 if self.further is None else 1 + len(self.further.held_out)

    @property
    def linear_unread(self) -> tuple[str, ...]:
        """Rates that linear models do not read, since they are solved on every view."""
        size = self.n_samples, max(self.widths.values())
        if not self.task.solves_linear(*size):
            return ()
        return ("learning_rate", "weight_decay") if self.task.solved_decays(*size) else ("learning_rate",)

    def solves(self, graph: Graph, view: str) -> bool:
        """Whether a graph is a linear model on a view of a table that is solved, not trained."""
        if not is_linear(graph) or view not in self.widths:
            return False
        return self.task.solves_linear(self.n_samples, self.widths[view])

    def solved_decays(self, hyper: HyperParameters) -> tuple[float, ...]:
        """Weight decays that a linear model which is solved tries: the trial's step is the number of the one it took, counted from 1."""
        return self.task.solved_decays(self.n_samples, self.widths[hyper.view]) or (hyper.weight_decay,)

    def of_split(self, split: int, views: Iterable[str]) -> Problem:
        """The problem with the folds of a split, and with these views alone where it is a further one.

        Raises
        ------
        ParameterError
            If there is no such split.
        """
        if split == 0:
            return self
        if self.further is None or not 0 < split < self.n_splits:
            raise ParameterError(
                f"there is no split {split} of the data into folds; there are {self.n_splits}, numbered from 0."
            )
        assert isinstance(self.encoder, TableEncoder)
        read = {view: self.further.view(self.encoder, split, view) for view in views}
        held_out = self.further.held_out[split - 1]
        return replace(
            self,
            held_out=held_out,
            train=~held_out,
            encoder=replace(self.encoder, spaces={view: found.spaces for view, found in read.items()}),
            rows={view: found.rows for view, found in read.items()},
            further=None,
        )

    @property
    def digest(self) -> str:
        """One digest of all the parts."""
        return hex_digest("\0".join(f"{name}={self.fingerprint[name]}" for name in PARTS))


def fingerprint_of(
    samples: str, targets: np.ndarray, sample_weight: np.ndarray, groups: np.ndarray | None
) -> dict[str, str]:
    """A digest of each part of a problem.

    Parameters
    ----------
    samples : str
        The digest of the samples and their names.
    targets : numpy.ndarray
    sample_weight : numpy.ndarray
        ``(n_samples,)``.
    groups : numpy.ndarray or None
        ``(n_samples,)`` numbers.
    """
    return {
        "samples": samples,
        "targets": hex_digest(targets),
        "sample_weight": hex_digest(np.asarray(sample_weight, dtype="float64")),
        "groups": "none" if groups is None else hex_digest(groups.astype(np.int64)),
    }


def rows_digest(rows: Rows) -> str:
    """A digest of samples as an encoder identifies them."""
    parts: list[str | np.ndarray] = []
    for name, values in sorted(packed_rows(rows).items()):
        parts += [name, values]
    return hex_digest(*parts)


def group_numbers(groups: np.ndarray | None) -> np.ndarray | None:
    """``(n_samples,)`` numbers 0, 1, 2... of groups by name."""
    return None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)
