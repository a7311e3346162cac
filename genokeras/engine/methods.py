"""The two ways to train and merge: packed in row space for tables, by mini-batches for everything else.

A method knows what differs; the loop, the store, the delivery and the run are the same for both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, final

from genokeras.encoders import NetworkEncoder, TableEncoder
from genokeras.engine.budget import Budget, search_budget
from genokeras.engine.executor import Runner
from genokeras.engine.network_runner import NetworkRunner
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.packing import ClassPacker, GraphPacker, Packer, pack_size
from genokeras.engine.problem import Problem
from genokeras.engine.training_options import network_settings, scaled_training, training_settings
from genokeras.networks import TrainedNetwork, TrainedTrial, merge_networks, merge_rows
from genokeras.searchers import GEOMETRIC, LARGEST_ENSEMBLE, MEAN
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.objectives import Objective
from genokeras.training.allotment import Allotment

# Fold members of a few trials: more convolutional networks than this make a delivered model slow.
_MOST_NETWORKS = 30
_LEAST_TRIALS, _MOST_TRIALS = 3, 12
# Seconds that a further network must have at least: most of it goes into compiling the network.
_LEAST_SHARE, _LEAST_LOW, _LEAST_HIGH = 0.05, 1.0, 6.0


class Method(ABC):
    """How trials on one kind of encoder are trained and merged.

    Attributes
    ----------
    learns_gains : bool
        Whether the searcher learns from how much each job gained.
    packs : bool
        Whether one ask may give several jobs.
    """

    learns_gains: ClassVar[bool] = False
    packs: ClassVar[bool] = False

    @abstractmethod
    def budget(self, time_limit: float | None) -> Budget:
        """The budget of a search from now on."""

    @abstractmethod
    def check(self, trainer_args: Mapping[str, Any] | None) -> None:
        """Raise ParameterError where ``trainer_args`` have an unknown name or a value out of range."""

    @abstractmethod
    def runner(
        self,
        problem: Problem,
        objective: Objective,
        trainer_args: Mapping[str, Any] | None,
        time_limit: float | None,
        label_smoothing: float | None = None,
    ) -> Runner:
        """What trains the trials of a search.

        Parameters
        ----------
        problem : Problem
        objective : Objective
        trainer_args : mapping or None
            Classic AutoKeras' names; see ``GenomeClassifier``.
        time_limit : float or None
            Seconds of the whole search.
        label_smoothing : float, optional
            In place of the usual one, where training by mini-batches smooths labels.
        """

    @abstractmethod
    def pack_size(self, problem: Problem) -> int:
        """Proposals to ask for at once, and trials in a job at most."""

    @abstractmethod
    def packer(self, problem: Problem) -> Packer:
        """What makes jobs of proposals."""

    @abstractmethod
    def largest_ensemble(self, problem: Problem) -> int:
        """Trials in a delivered ensemble at most."""

    @abstractmethod
    def merge(
        self,
        problem: Problem,
        networks: Sequence[TrainedNetwork],
        calibration: Calibration | None = None,
        pooling: str = MEAN,
    ) -> Any:
        """One ``keras.Model`` of trained trials: raw samples in, answers out."""


@final
class PackedMethod(Method):
    """Tables: all folds and several trials train packed, in row space."""

    learns_gains: ClassVar[bool] = True
    packs: ClassVar[bool] = True

    def budget(self, time_limit: float | None) -> Budget:
        return search_budget(time_limit)

    def check(self, trainer_args: Mapping[str, Any] | None) -> None:
        training_settings(trainer_args)

    def runner(
        self,
        problem: Problem,
        objective: Objective,
        trainer_args: Mapping[str, Any] | None,
        time_limit: float | None,
        label_smoothing: float | None = None,
    ) -> PackedRunner:
        given = "max_iter_num" in (trainer_args or {})
        settings = scaled_training(
            training_settings(trainer_args), problem.train, problem.held_out, steps_given=given
        )
        task = problem.task
        if not task.additive:
            # Such a loss is of all rows together.
            settings = replace(settings, batch_size=problem.n_samples)
        return PackedRunner(problem, objective, replace(settings, loss=task))

    def pack_size(self, problem: Problem) -> int:
        return pack_size(problem)

    def packer(self, problem: Problem) -> Packer:
        return ClassPacker(problem, pack_size(problem))

    def largest_ensemble(self, problem: Problem) -> int:
        return LARGEST_ENSEMBLE

    def merge(
        self,
        problem: Problem,
        networks: Sequence[TrainedNetwork],
        calibration: Calibration | None = None,
        pooling: str = MEAN,
    ) -> Any:
        encoder = problem.encoder
        assert isinstance(encoder, TableEncoder)
        trials = [row_trial(problem, network) for network in networks]
        return merge_rows(
            trials,
            problem.task,
            encoder.n_features,
            encoder.medians,
            calibration,
            inputs=encoder.inputs,
            geometric=pooling == GEOMETRIC,
        )


@final
class NetworkMethod(Method):
    """Everything else: convolutional networks train one by one, by mini-batches."""

    def budget(self, time_limit: float | None) -> Budget:
        least = None
        if time_limit is not None:
            least = min(max(_LEAST_SHARE * time_limit, _LEAST_LOW), _LEAST_HIGH)
        return search_budget(time_limit, least)

    def check(self, trainer_args: Mapping[str, Any] | None) -> None:
        network_settings(trainer_args)

    def runner(
        self,
        problem: Problem,
        objective: Objective,
        trainer_args: Mapping[str, Any] | None,
        time_limit: float | None,
        label_smoothing: float | None = None,
    ) -> NetworkRunner:
        settings, epochs = network_settings(trainer_args, label_smoothing)
        rows = int(problem.train.sum(axis=1).max())
        allotment = Allotment(
            epoch=-(-rows // settings.batch_of(rows)),
            time_limit=time_limit,
            members=problem.n_folds,
            **epochs,
        )
        return NetworkRunner(problem, objective, allotment, settings)

    def pack_size(self, problem: Problem) -> int:
        return 1

    def packer(self, problem: Problem) -> Packer:
        return GraphPacker(1)

    def largest_ensemble(self, problem: Problem) -> int:
        return max(_LEAST_TRIALS, min(_MOST_TRIALS, _MOST_NETWORKS // problem.n_folds))

    def merge(
        self,
        problem: Problem,
        networks: Sequence[TrainedNetwork],
        calibration: Calibration | None = None,
        pooling: str = MEAN,
    ) -> Any:
        assert isinstance(problem.encoder, NetworkEncoder)
        return merge_networks(
            problem.encoder, problem.task, networks, calibration, geometric=pooling == GEOMETRIC
        )


def method_of(problem: Problem) -> Method:
    """The method for a problem, by its encoder."""
    return PackedMethod() if isinstance(problem.encoder, TableEncoder) else NetworkMethod()


def row_trial(problem: Problem, network: TrainedNetwork) -> TrainedTrial:
    """A trial with the row space of its members by each Input, in the split into folds that they come from."""
    hyper = network.hyper
    views = network.graph.views(hyper.view)
    encoder = problem.of_split(network.split, views.values()).encoder
    assert isinstance(encoder, TableEncoder)
    spaces = {i: encoder.spaces[view] for i, view in views.items()}
    return TrainedTrial(
        network.graph, hyper.activation, network.weights, spaces, network.share, network.sharpness
    )
