"""Graphs of a run with what is needed to make Keras models of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras

from genokeras.encoders import NetworkEncoder, TableEncoder
from genokeras.engine.delivery import trials_calibration
from genokeras.engine.methods import method_of
from genokeras.engine.problem import Problem
from genokeras.engine.problem_files import has_problem, read_problem
from genokeras.engine.run import trained_network
from genokeras.engine.store import TrialStore
from genokeras.errors import NotFittedError, ParameterError, RunFolderError
from genokeras.graph import Graph, HyperParameters
from genokeras.networks import TrainedNetwork, build_network, build_plain
from genokeras.support import RunFolder
from genokeras.support.checks import check_whole
from genokeras.support.json_files import read_json
from genokeras.support.precision import single_precision
from genokeras.tasks.calibration import Calibration
from genokeras.training.torch_graph import torch_module


@dataclass(frozen=True, eq=False)
class LoadedGraph(Graph):
    """The graph of a trial, with its hyper-parameters and, where they are known, its trained members.

    Attributes
    ----------
    hyper : HyperParameters
    n_features : int or None
        Features of a sample, of a table.
    networks : tuple of TrainedNetwork
        The trial's, and those of its replicates where it stands for them; none of a trial that failed.
    calibration : Calibration
        Of what the networks answer on average, by their out-of-fold answers.
    problem : Problem or None
        Of the run that it was searched in.
    """

    hyper: HyperParameters = field(default_factory=HyperParameters)
    n_features: int | None = None
    networks: tuple[TrainedNetwork, ...] = field(default=(), repr=False)
    calibration: Calibration = field(default_factory=Calibration, repr=False)
    problem: Problem | None = field(default=None, repr=False)

    def produce_keras_model(self, weights: bool = False, n_features: int | None = None) -> Any:
        """A ``keras.Model`` of this architecture.

        Parameters
        ----------
        weights : bool, default=False
            False: fresh weights, one network to be compiled and trained like any other. Of a table it reads standardised features; of
            sequences, images, texts and arrays it reads what was given to ``fit``, as the trained one does. Without its run the graph
            makes a model of what it reads itself, which answers class probabilities. True: the trained fold members merged into one
            model, raw samples in, answers out; they are calibrated, as those of the delivered ensemble are.
        n_features : int, optional
            Width of a fresh network's input; that of the run's data by default.

        Raises
        ------
        NotFittedError
            If trained weights are asked for and the trial failed, or the graph was loaded without its run.
        """
        if weights:
            if self.problem is not None and not self.networks:
                raise NotFittedError("the trial of this graph failed: it has no trained weights.")
            if not self.networks or self.problem is None:
                raise NotFittedError(
                    "this graph was loaded without its run, so its trained weights are not known. Load it with "
                    "gk.load_estimator(run).load_searcher().load_model_by_id(id)."
                )
            with single_precision():
                return method_of(self.problem).merge(self.problem, self.networks, self.calibration)
        if self.problem is not None and not isinstance(self.problem.encoder, TableEncoder):
            fresh = TrainedNetwork("network", self, self.hyper, {})
            return method_of(self.problem).merge(self.problem, [fresh])
        if self.input_shape is not None:
            return build_network(self, None, self.hyper)
        network = build_plain(self, self._width(n_features), self.hyper, logits=self.problem is not None)
        if self.problem is None:
            return network
        return keras.Model(network.input, self.problem.task.answer_tensor(network.output))

    def _width(self, given: int | None) -> int:
        width = self.n_features if given is None else given
        if width is None and self.problem is not None and isinstance(self.problem.encoder, NetworkEncoder):
            width = self.problem.encoder.n_counts
        if width is None:
            raise NotFittedError(
                "how many features does the network read? This graph was loaded without its run: give n_features=."
            )
        return width

    def produce_model(self, weights: bool = False) -> Any:
        """A ``torch.nn.Module`` wherever PyTorch is installed.

        Where Keras runs on PyTorch, it is the model of `produce_keras_model`. Elsewhere it has fresh weights and is trained by PyTorch
        alone: it reads what the graph reads (standardised features; sequences, images and arrays with the channels last), and answers
        logits, for ``torch.nn.CrossEntropyLoss`` and class numbers or one-hot labels, or numbers. A linear model of images reads their
        pixels, flattened or not; of sequences and texts it reads as many counts as the run's linear models do. Without PyTorch: a Keras model.

        Parameters
        ----------
        weights : bool, default=False
            Whether trained ones are asked for.

        Raises
        ------
        NotFittedError
            As `produce_keras_model`.
        ParameterError
            If trained weights are asked for where PyTorch is installed and Keras does not run on it.
        """
        if keras.backend.backend() == "torch" or find_spec("torch") is None:
            return self.produce_keras_model(weights=weights)
        if weights:
            raise ParameterError(
                f"produce_model(weights=True) needs Keras on PyTorch, but it runs on {keras.backend.backend()}: set KERAS_BACKEND=torch before "
                "Keras is imported, or take produce_keras_model(weights=True)."
            )
        return torch_module(self, self.hyper, self._width(None) if self.input_shape is None else None)


def load_trial_graph(folder: RunFolder, trial_id: int, replicates: bool = False) -> LoadedGraph:
    """The graph of one trial of a run, trained members included.

    Parameters
    ----------
    folder : RunFolder
    trial_id : int
    replicates : bool
        Whether the members of its replicates, on other splits into folds, join its own.

    Raises
    ------
    ParameterError
        If the id is no whole number.
    RunFolderError
        If the run has no such trial.
    """
    trial_id = check_whole(trial_id, "the id of a trial", least=0)
    store, known = TrialStore(folder), folder.trial_ids()
    if trial_id not in known:
        raise RunFolderError(
            f"the run {str(folder.path)!r} has no trial {trial_id}; its trials are {_ranges(known)}."
        )
    trial, problem = store.read(trial_id), read_problem(folder)
    found = store.history().replicates(trial) if replicates else (trial,)
    trained = [one for one in found if one.status == "ok"]
    networks = tuple(trained_network(store, one) for one in trained)
    calibration = trials_calibration(store, problem, trained) if trained else Calibration()
    graph, encoder = trial.proposal.graph, problem.encoder
    width = encoder.n_features if isinstance(encoder, TableEncoder) else None
    return LoadedGraph(graph.layers, trial.proposal.hyper, width, networks, calibration, problem)


def load_graph(file: str | os.PathLike[str]) -> LoadedGraph:
    """Read a ``graph.json``.

    Parameters
    ----------
    file : path-like
        ``trials/000017/graph.json`` of a run, which brings its trained weights along, or a graph's own JSON.

    Returns
    -------
    LoadedGraph

    Raises
    ------
    RunFolderError
        If the file cannot be read or holds no graph.

    Examples
    --------
    >>> import genokeras as gk
    >>> gk.load_graph("runs/leukemia/trials/000017/graph.json").produce_keras_model().summary()  # doctest: +SKIP
    """
    path, content = Path(file), read_json(file)
    if "layers" in content:
        return LoadedGraph(Graph.from_dict(content).layers)
    run = path.resolve().parent.parent.parent
    if "trial" not in content:
        raise RunFolderError(f"{str(path)!r} holds no graph: expected the keys 'layers' or 'trial'.")
    if RunFolder.exists(run) and has_problem(RunFolder(run)):
        return load_trial_graph(RunFolder(run), int(content["trial"]["id"]))
    try:
        proposal = content["trial"]["proposal"]
        graph, hyper = proposal["graph"], proposal["hyper"]
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{str(path)!r} is damaged: its trial lacks its graph ({error}).") from error
    return LoadedGraph(Graph.from_dict(graph).layers, HyperParameters.from_dict(hyper))


def _ranges(ids: list[int]) -> str:
    return f"{ids[0]} to {ids[-1]}" if ids else "none yet"
