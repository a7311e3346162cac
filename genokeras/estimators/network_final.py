"""One network trained on all samples there are, for as long as the search found best."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np

from genokeras.encoders.encoder import Rows, n_rows, take
from genokeras.engine.network_problem import SpatialProblem
from genokeras.graph import Weights
from genokeras.keras_models import LightModel
from genokeras.networks import build_network, read_weights, start_weights
from genokeras.searchers import History, TrialResult
from genokeras.training.members import NetworkSettings


def epochs_behind(
    history: History, problem: SpatialProblem, trial: TrialResult, settings: NetworkSettings, retrain: bool
) -> int:
    """Epochs behind a trial's weights: its own and, for a fresh start, those of the fathers it inherited from."""
    steps = trial.step
    for child, father in pairwise(history.lineage(trial.id)):
        if not retrain or not child.proposal.inherit:
            break
        steps += father.step
    n = int(problem.train.sum(axis=1).max())
    return max(1, round(steps * settings.batch_of(n) / n))


def trained_on_all(
    problem: SpatialProblem,
    trial: TrialResult,
    rows: Rows,
    targets: np.ndarray,
    settings: NetworkSettings,
    epochs: int,
    checkpoint: Path,
    start: Weights | None = None,
    verbose: int = 0,
) -> Weights:
    """Weights of one member of a trial's graph, trained on these samples; nothing is held out.

    Parameters
    ----------
    problem : SpatialProblem
        Its encoder and its task.
    trial : TrialResult
        Its graph, rates and seed.
    rows, targets
        The samples, as the encoder and the task have them.
    settings : NetworkSettings
    epochs : int
    checkpoint : pathlib.Path
        A ``.keras`` file.
    start : Weights, optional
        What to go on from, the first member; fresh weights by default.
    verbose : {0, 1}
    """
    proposal, n = trial.proposal, n_rows(rows)
    begun = start_weights(proposal.graph, np.random.default_rng(proposal.seed)) if start is None else start
    net = build_network(proposal.graph, None, proposal.hyper, weights=begun, logits=True)
    encoder, size = problem.encoder, settings.batch_of(n)
    wanted = problem.task.training_targets(targets)
    rng = np.random.default_rng(proposal.seed)

    def epoch() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = rng.permutation(n)
        for first in range(0, n - size + 1, size):
            picked = order[first : first + size]
            yield encoder.tensor(take(rows, picked), rng), wanted[picked]

    optimizer = keras.optimizers.AdamW(
        proposal.hyper.learning_rate, proposal.hyper.weight_decay, clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    light = LightModel(net)
    light.compile(optimizer, problem.task.training_loss(settings.label_smoothing), schedule="cosine")
    light.fit(
        epoch,
        epochs=epochs,
        ckpt_path=checkpoint,
        monitor="loss",
        patience=None,
        resume=False,
        plot=False,
        verbose=verbose,
    )
    return read_weights(light.net, proposal.graph)
