"""Graphs of a run with what is needed to make Keras models of them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.engine.delivery import trained_trial
from genokeras.engine.store import TrialStore
from genokeras.errors import NotFittedError, RunFolderError
from genokeras.graph import Graph, HyperParameters
from genokeras.networks import TrainedTrial, build_network, build_plain, export_model
from genokeras.support.folder import RunFolder


@dataclass(frozen=True, eq=False)
class LoadedGraph(Graph):
    """The graph of a trial, with its hyper-parameters and, where they are known, its trained members.

    Attributes
    ----------
    hyper : HyperParameters
    n_features : int or None
        Raw features of the data it was searched on.
    trained : TrainedTrial or None
    medians : numpy.ndarray or None
        ``(n_features,)`` stand-ins for NaN.
    """

    hyper: HyperParameters = field(default_factory=HyperParameters)
    n_features: int | None = None
    trained: TrainedTrial | None = None
    medians: np.ndarray | None = None

    def produce_keras_model(self, weights: bool = False, n_features: int | None = None) -> Any:
        """A ``keras.Model`` of this architecture.

        Parameters
        ----------
        weights : bool, default=False
            False: fresh weights, one ordinary network from (standardised) features to class probabilities, to be
            compiled and trained like any other (one of sequences, images or token ids reads what those are encoded to). True: the trained fold members merged into one model, raw features in,
            class probabilities out.
        n_features : int, optional
            Width of a fresh network's input; that of the run's data by default.

        Raises
        ------
        NotFittedError
            If trained weights are asked for and the graph was loaded without its run.
        """
        if weights:
            if self.trained is None or self.n_features is None:
                raise NotFittedError(
                    "this graph was loaded without its run, so its trained weights are not at hand. Load it with "
                    "GenomeClassifier.load(run).load_searcher().load_model_by_id(id)."
                )
            return export_model([self.trained], self.n_features, self.medians)
        if self.input_shape is not None:
            return build_network(self, None, self.hyper)
        width = self.n_features if n_features is None else n_features
        if width is None:
            raise NotFittedError(
                "how many features does the network read? This graph was loaded without its run: give n_features=."
            )
        return build_plain(self, width, self.hyper)

    def produce_model(self, weights: bool = False) -> Any:
        """The backend's own object: on PyTorch a ``torch.nn.Module``, which a Keras model is there."""
        return self.produce_keras_model(weights=weights)


def load_trial_graph(folder: RunFolder, trial_id: int) -> LoadedGraph:
    """The graph of one trial of a run, trained members included.

    Raises
    ------
    RunFolderError
        If the run has no such trial, or the trial failed.
    """
    store = TrialStore(folder)
    known = folder.trial_ids()
    if trial_id not in known:
        raise RunFolderError(
            f"the run {str(folder.path)!r} has no trial {trial_id}; its trials are {_ranges(known)}."
        )
    trial, problem = store.read(trial_id), store.read_problem()
    trained = trained_trial(store, problem, trial) if trial.status == "ok" else None
    graph, hyper = trial.proposal.graph, trial.proposal.hyper
    return LoadedGraph(graph.layers, hyper, problem.n_features, trained, problem.medians)


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
    path = Path(file)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunFolderError(f"cannot read a graph from {str(path)!r}: {error}.") from error
    if isinstance(content, dict) and "layers" in content:
        return LoadedGraph(Graph.from_dict(content).layers)
    run = path.resolve().parent.parent.parent
    if not isinstance(content, dict) or "trial" not in content:
        raise RunFolderError(f"{str(path)!r} holds no graph: expected the keys 'layers' or 'trial'.")
    if (run / "run.json").exists() and (run / "features.npz").exists():
        return load_trial_graph(RunFolder(run), int(content["trial"]["id"]))
    proposal = content["trial"]["proposal"]
    return LoadedGraph(
        Graph.from_dict(proposal["graph"]).layers, HyperParameters.from_dict(proposal["hyper"])
    )


def _ranges(ids: list[int]) -> str:
    return f"{ids[0]} to {ids[-1]}" if ids else "none yet"
