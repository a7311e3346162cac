"""Arcs trained from scratch, one by one, on the inner folds of some rows; and what they say of rows they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold

from genokeras.enas import SearchData
from genokeras.features import FittedView, fit_views
from genokeras.graph import Weights, reference_forward
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph
from genokeras.networks import initial_weights
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings

ACTIVATION, DROPOUT, WEIGHT_DECAY = "relu", 0.2, 0.1


@dataclass(frozen=True)
class TrainedArc:
    """Held-out losses ``(seeds,)`` of an arc, and its members, those of one seed after those of another."""

    arc: Arc
    losses: np.ndarray
    weights: Weights


class FromScratch:
    """Trains arcs on five inner folds of ``x`` ``(n, p)``, in row space, as trials are trained.

    Parameters
    ----------
    x, codes : numpy.ndarray
    space : ArcSpace
    rate : float
        Learning rate.
    """

    def __init__(self, x: np.ndarray, codes: np.ndarray, space: ArcSpace, rate: float) -> None:
        self.space, self.rate = space, rate
        self.n_classes = int(codes.max()) + 1
        held_out = np.zeros((5, len(codes)), dtype=bool)
        for fold, (_, rows) in enumerate(StratifiedKFold(5, shuffle=True, random_state=0).split(x, codes)):
            held_out[fold, rows] = True
        self.view: FittedView = fit_views(("all",), x, codes, ~held_out)["all"]
        self.data = SearchData(self.view.z, np.eye(self.n_classes)[codes], ~held_out, held_out)
        self.trainer = PackedTrainer(TrainingSettings())

    def train(self, arc: Arc, seed: int, n_seeds: int = 1) -> TrainedArc:
        """Train ``n_seeds`` times five fold members, packed."""
        graph = arc_to_graph(arc, self.space, self.n_classes)
        folds, members = self.data.n_folds, n_seeds * self.data.n_folds
        train = self.data.train / self.data.train.sum(axis=1, keepdims=True)
        held_out = self.data.held_out / self.data.held_out.sum()
        rng = np.random.default_rng([seed, 11])
        task = PackedTask(
            graph=graph,
            activation=ACTIVATION,
            inputs=self.data.inputs,
            targets=self.data.targets,
            train_weights=np.tile(train, (n_seeds, 1)),
            score_weights=np.tile(held_out, (n_seeds, 1)),
            trial_of_member=np.repeat(np.arange(n_seeds), folds),
            learning_rate=np.full(members, self.rate),
            weight_decay=np.full(members, WEIGHT_DECAY),
            dropout=np.full(members, DROPOUT),
            input_rank=np.tile(self.view.ranks(), n_seeds),
            weights=initial_weights(graph, self.data.inputs.shape[2], members, rng),
            seed=seed,
            input_of_member=np.tile(np.arange(folds), n_seeds),
        )
        result = self.trainer.run(task)
        return TrainedArc(arc, result.best_loss, result.weights)

    def unseen_log_loss(self, trained: TrainedArc, x: np.ndarray, codes: np.ndarray) -> float:
        """Log loss on other rows of the mean probabilities of the fold members (of one seed)."""
        z = np.zeros((self.data.n_folds, len(x), self.data.inputs.shape[2]))
        for fold, space in enumerate(self.view.spaces):
            z[fold, :, : space.rank] = space.transform(x)
        graph = arc_to_graph(trained.arc, self.space, self.n_classes)
        logits: Any = reference_forward(graph, trained.weights, z, ACTIVATION)
        p = softmax(logits, axis=-1).mean(axis=0)
        return float(-np.log(np.maximum(p[np.arange(len(codes)), codes], 1e-7)).mean())
