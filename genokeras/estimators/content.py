"""What the samples of an estimator are: how they are read, prepared for a run, and what a search on them starts from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from genokeras.data import (
    Dataset,
    Folds,
    ImageData,
    SequenceData,
    TextData,
    check_sample_weight,
    choose_folds,
    coincidence_notes,
    further_splits,
    holdout_folds,
    leave_one_study_out,
    target_names,
)
from genokeras.data.block import Block
from genokeras.data.samples import why_without_labels
from genokeras.engine import Method, Prepared, Problem, Run, Wanted
from genokeras.errors import DataError, ParameterError
from genokeras.graph.arcs import Arc
from genokeras.searchers import Searcher, few_groups_note
from genokeras.tasks.task import Aim, Labelled, Task

Content = Dataset | SequenceData | ImageData | TextData


@dataclass(frozen=True, eq=False)
class Given:
    """Samples as people give them.

    Attributes
    ----------
    x, y, groups, extra
        As in ``fit``.
    missing : str
        What to do about missing values, of tables.
    training : bool
        Whether a network is to learn from them.
    drop_columns : str or sequence of str
        What to leave out, of tables.
    genes : sequence of str
        What a fitted model reads, of tables.
    blocks : tuple of Block
        Those that a fitted model reads, of tables.
    missing_blocks : str
        What becomes of samples that lack a block, of tables.
    layer : str or None
        Which of several matrices is read, of tables.
    """

    x: Any
    y: Any = None
    groups: Any = None
    extra: Any = None
    missing: str = "error"
    training: bool = False
    drop_columns: str | Sequence[str] = ()
    genes: Sequence[str] = ()
    blocks: tuple[Block, ...] = ()
    missing_blocks: str = "drop"
    layer: str | None = None


@dataclass(frozen=True, eq=False)
class Training:
    """What ``fit`` was given, read and checked.

    Attributes
    ----------
    content : Content
    aim : Aim
        Of the training samples.
    held : Content or None
        Validation samples, which score trials in place of folds.
    held_targets : numpy.ndarray or None
    n_folds : int or None
        As asked for.
    sample_weight : numpy.ndarray
        ``(n_samples,)`` of the training samples.
    seed : int
    factors : numpy.ndarray or None
        ``(n_classes,)`` what the weights of the samples of each class are multiplied by.
    by_study : bool
        Whether the groups are studies, each of which is left out by a fold.
    """

    content: Content
    aim: Aim
    held: Content | None
    held_targets: np.ndarray | None
    n_folds: int | None
    sample_weight: np.ndarray
    seed: int
    factors: np.ndarray | None = None
    by_study: bool = False

    @property
    def n_samples(self) -> int:
        """Training samples."""
        return len(self.aim.targets)

    @property
    def groups(self) -> np.ndarray | None:
        """``(n_samples,)`` of the training samples, where no validation samples replace folds."""
        return self.content.groups if self.held is None else None

    @property
    def targets(self) -> np.ndarray:
        """Those of the validation samples behind those of the training samples."""
        if self.held_targets is None:
            return self.aim.targets
        return np.concatenate([self.aim.targets, self.held_targets])

    @property
    def weight(self) -> np.ndarray:
        """``(n,)`` of all samples; validation samples count 1, each times the factor of its class."""
        weight = np.concatenate([self.sample_weight, np.ones(len(self.targets) - self.n_samples)])
        return weight if self.factors is None else weight * self.factors[self.targets]

    def folds(self, places: int | None = None) -> Folds:
        """Which samples train and which score; see `genokeras.data.choose_folds`."""
        if self.held_targets is not None:
            return holdout_folds(self.n_samples, len(self.held_targets))
        found = self._by_study() if self.by_study else self._drawn(self.seed, places)
        if self.groups is None:
            return found
        called, scored = "studies" if self.by_study else "groups", found.scored
        few = few_groups_note(self.groups[scored], self.weight[scored], called)
        return replace(found, notes=(*found.notes, *few))

    def further_folds(self, first: Folds) -> np.ndarray:
        """``(splits, n_folds, n_samples)`` bool: what the folds of further splits hold out; see `genokeras.data.further_splits`."""
        if self.held_targets is not None or self.by_study:
            return np.empty((0, *first.held_out.shape), dtype=bool)
        found = [folds.held_out for folds in further_splits(first, self._drawn, self.seed)]
        return np.array(found, dtype=bool).reshape(-1, *first.held_out.shape)

    def _by_study(self) -> Folds:
        assert self.groups is not None
        task, targets = self.aim.task, self.aim.targets
        strata = task.strata(targets)
        found = leave_one_study_out(self.groups, strata, self.seed, self._strata_names())
        classes = targets.ndim == 1 and strata is not None
        return replace(found, notes=(*coincidence_notes(self.groups, targets, classes), *found.notes))

    def plain_folds(self) -> Folds:
        """Folds without regard to groups."""
        return replace(self, content=_ungrouped(self.content), by_study=False).folds()

    def _drawn(self, seed: int, places: int | None = None) -> Folds:
        strata, names = self.aim.task.strata(self.aim.targets), self._strata_names()
        return choose_folds(self.n_samples, strata, self.groups, self.n_folds, seed, names, places)

    def _strata_names(self) -> list[str]:
        return self.aim.task.strata_names(self.aim.targets, [str(name) for name in self.aim.names])


def _ungrouped(content: Content) -> Content:
    return replace(content, groups=None)


class ContentKind(ABC):
    """Tables, sequences, images or texts; classifiers and regressors of one kind share it."""

    name: ClassVar[str]
    takes_extra: ClassVar[bool] = False
    takes_batches: ClassVar[bool] = False

    @abstractmethod
    def read(self, given: Given) -> Content:
        """Samples that were read and checked."""

    @abstractmethod
    def read_several(self, given: Given) -> Content:
        """As `read`, where ``y`` may hold or name several columns."""

    @abstractmethod
    def method(self) -> Method:
        """How networks on these samples train."""

    @abstractmethod
    def prepare(self, training: Training, arguments: Mapping[str, Any]) -> Prepared:
        """The run's data, with ``arguments`` of the estimator: ``backbone``, ``views``, ``searcher_args``, ``drop_columns``."""

    @abstractmethod
    def searcher(self, wanted: Wanted, problem: Problem, arcs: tuple[Arc, ...]) -> Searcher:
        """The searcher that was asked for."""

    @abstractmethod
    def matched(self, content: Any, run: Run) -> Any:
        """Further samples, brought into the order that the run knows."""

    @abstractmethod
    def asked_folds(self, n_folds: int | None, n_samples: int) -> int | None:
        """What ``run.json`` says of the folds that were asked for."""


def weights_of(content: Content, sample_weight: Any) -> np.ndarray:
    """``(n_samples,)`` float64 in the order of the content, with a mean of 1 over the samples that count: 1 each where none are given.

    Raises
    ------
    DataError
        As `genokeras.data.check_sample_weight`.
    """
    names = names_of(content)
    if sample_weight is None:
        return np.ones(len(names))
    named = content.ids_given if isinstance(content, Dataset) else content.names_given
    return check_sample_weight(sample_weight, len(names), names if named else None, content.source)


def names_of(content: Content) -> tuple[str, ...]:
    """What the samples are called."""
    return content.sample_ids if isinstance(content, Dataset) else content.names


def labelled(content: Content, y: Any) -> Labelled:
    """The labels of samples that were read.

    Raises
    ------
    DataError
        If they came without any.
    """
    values = content.y if isinstance(content, Dataset) else content.labels
    if values is None:
        raise DataError(
            f"{content.source} came without labels: pass y as an array, the name of a column, or a file of labels (this requires y to be "
            f"passed, but the target y is None).{why_without_labels(content.notes)}"
        )
    return Labelled(values, target_names(y), names_of(content), content.source)


def known_targets(task: Task, content: Content, y: Any, names: np.ndarray) -> np.ndarray:
    """Targets of further samples, whose outputs go by these names."""
    return task.read(labelled(content, y), names)


def validation_parts(validation_data: Any, takes_extra: bool) -> tuple[Any, Any, Any]:
    """``x``, ``y`` and ``extra`` of ``validation_data``.

    Raises
    ------
    ParameterError
        If they are not two of them, or three where there are extra numbers.
    """
    known = (2, 3) if takes_extra else (2,)
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in known:
        more = ", or with extra numbers three of them" if takes_extra else ""
        raise ParameterError(f"validation_data must be a pair (x_val, y_val){more}.")
    x, y, *extra = validation_data
    return x, y, extra[0] if extra else None
