"""Train the weights that all arcs share, and score arcs by them: two compiled programs, however many arcs.

Every fold has shared weights of its own, so that no arc is scored on rows its weights have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from genokeras.enas.network import (
    encode,
    fair_arcs,
    initial_params,
    supernet_outputs,
    weight_shapes,
)
from genokeras.enas.settings import SearchData, SupernetSettings, scored_part
from genokeras.enas.slicing import SharedWeights
from genokeras.errors import TrainingError
from genokeras.graph.arcs import Arc, ArcSpace
from genokeras.support.backends import Backend, current_backend
from genokeras.training.batches import MiniBatches
from genokeras.training.constants import as_tensor
from genokeras.training.goals import LOSSES
from genokeras.training.noise import NOISE_LEVELS, SharedNoise, dropout_threshold
from genokeras.training.program import as_tensor_as_is
from genokeras.training.schedules import Cosine

_BYTES_AT_ONCE = 64_000_000
_MOST_ARCS_AT_ONCE = 25


@dataclass(frozen=True)
class Progress:
    """How far the training of shared weights is.

    Attributes
    ----------
    step : int
        Steps done.
    loss : float
        Mean training loss of the last chunk of steps.
    penalty : float
        L2 penalty behind it, of all folds.
    held_out_loss, held_out_accuracy : float
        Means over a sample of arcs in which every width of a layer comes equally often.
    """

    step: int
    loss: float
    penalty: float
    held_out_loss: float
    held_out_accuracy: float


@dataclass(frozen=True)
class ArcScores:
    """What held-out rows say of arcs under the shared weights.

    Attributes
    ----------
    loss : numpy.ndarray
        ``(arcs,)`` mean loss over the rows of all folds; lower is better.
    accuracy : numpy.ndarray
        ``(arcs,)`` share of the rows whose class is the most probable one; NaN without classes.
    """

    loss: np.ndarray
    accuracy: np.ndarray


class Supernet:
    """One network for all arcs of a space.

    Parameters
    ----------
    space : ArcSpace
    data : SearchData
    settings : SupernetSettings

    Attributes
    ----------
    compilations : int
        Programs compiled so far: one to train and one to score at most.
    steps_done, best_step : int
    arcs_at_once : int
        Arcs that one call scores.
    """

    def __init__(self, space: ArcSpace, data: SearchData, settings: SupernetSettings) -> None:
        self.space = space
        self.settings = settings
        self.compilations = 0
        self.steps_done = 0
        self.best_step = 0
        self._data = data
        self._backend: Backend = current_backend()
        self._loss = LOSSES[settings.loss]
        folds, width = data.n_folds, data.inputs.shape[2]
        shapes = weight_shapes(space, folds, width, data.targets.shape[1])
        params = [as_tensor(array) for array in initial_params(shapes, self._rng(0))]
        self._state: list[Any] = [params, settings.optimizer.initial_state(params)]
        self._rows = np.flatnonzero(data.train.any(axis=0)).astype("int32")
        self._full_batch = len(self._rows) <= settings.batch_size
        self._batches = MiniBatches(settings.seed, len(self._rows), settings.batch_size)
        n_masks = space.n_layers + 1 if settings.dropout else 0
        masked = (space.max_channel,) * n_masks
        rows = min(len(self._rows), settings.batch_size)
        self._noise = SharedNoise(settings.seed, masked, folds * settings.arcs_per_step, rows)
        self._arcs_rng = self._rng(1)
        self._training: dict[str, Any] = {}
        self._scored = scored_part(data, settings.scored_rows, self._rng(2))
        self._scoring: dict[str, Any] = {}
        self.arcs_at_once = self._fitting_arcs()
        self._best_params, self._best_loss, self._stale = params, np.inf, 0
        self._snapshots: list[list[Any]] = []
        self._scorings, self._stride = 0, 1
        self._train_program: Callable[..., Any] | None = None
        self._score_program: Callable[..., Any] | None = None

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.seed, 3, stream])

    # ---- values in, values out

    def train(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        watch: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Train until all steps are done, the held-out loss of a sample of arcs gets no better, or ``should_stop`` says so.

        The longer shared weights train, the more the scores depend on how confident each arc is; the weights that
        are kept are those of the best step on the mean held-out curve of that sample.

        Parameters
        ----------
        should_stop : callable
            Looked at after each chunk of steps.
        watch : callable
            Receives the progress after each chunk of steps.

        Raises
        ------
        TrainingError
            If the loss is not finite.
        """
        settings, probe = self.settings, self._probe()
        if self._train_program is None:
            self._training = self._training_constants()
            self._train_program = self._backend.compile(self._chunk)
            self.compilations += 1
        while self.steps_done < settings.steps and self._stale < settings.patience:
            todo = min(settings.chunk_steps, settings.steps - self.steps_done)
            drawn = {name: as_tensor_as_is(array) for name, array in self._draw().items()}
            span = [ops.convert_to_tensor(np.int32(number)) for number in (self.steps_done, todo)]
            self._state, losses = self._train_program(self._state, self._training, drawn, *span)
            self.steps_done += todo
            loss, penalty = (float(value) for value in _numpy(losses))
            if not np.isfinite(loss):
                raise TrainingError(
                    f"the training loss of the supernet is {loss} after {self.steps_done} steps (learning rate "
                    f"{settings.learning_rate:g}); look for extreme values in the data, or lower the rate."
                )
            scores = self._scores(self._state[0], *probe)
            self._keep_best(float(scores[0].mean()))
            watch(Progress(self.steps_done, loss / todo, penalty, *map(float, scores.mean(axis=1))))
            if should_stop():
                break

    def _keep_best(self, held_out_loss: float) -> None:
        if self.steps_done < min(self.settings.min_steps, self.settings.steps):
            self._best_params, self.best_step = self._state[0], self.steps_done
            return
        self._take_snapshot()
        if held_out_loss < self._best_loss:
            self._best_params, self._best_loss = self._state[0], held_out_loss
            self.best_step, self._stale = self.steps_done, 0
        else:
            self._stale += 1

    def _take_snapshot(self) -> None:
        """Keep one of ``_stride`` scorings; the stride doubles once there are too many snapshots."""
        if self._scorings % self._stride == 0:
            self._snapshots.append(self._state[0])
        self._scorings += 1
        if len(self._snapshots) > self.settings.snapshots:
            self._snapshots = self._snapshots[::2]
            self._stride *= 2

    def score(self, arcs: Sequence[Arc]) -> ArcScores:
        """Score arcs on the rows that each fold holds out: means over snapshots of the weights, taken along the training.

        How fast arcs learn, and how soon they overfit, ranks them more surely than how they are at any one step (Ru et al.
        2021, arXiv:2006.04492, with training losses). A single snapshot is that of the best step.
        """
        taken = self._snapshots if self.settings.snapshots > 1 else []
        encoded = encode(arcs, self.space)
        loss, accuracy = np.mean(
            [self._scores(params, *encoded) for params in taken or [self._best_params]], axis=0
        )
        return ArcScores(loss, accuracy)

    def weights(self) -> SharedWeights:
        """The shared weights of the best step."""
        return SharedWeights(self.space, tuple(_numpy(param) for param in self._best_params))

    # ---- what programs are given

    def _scores(self, params: list[Any], units: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """``(2, arcs)`` losses and accuracies."""
        if self._score_program is None:
            self._scoring = {name: as_tensor(array) for name, array in self._scored.items()}
            self._score_program = self._backend.compile(self._score)
            self.compilations += 1
        size, found = self.arcs_at_once, [np.empty((2, 0), dtype="float32")]
        for start in range(0, len(units), size):
            here = slice(start, start + size)
            # Always as many as the program was compiled for: a shorter last part is filled up.
            filled = [np.resize(array[here], (size, *array.shape[1:])) for array in (units, bits)]
            scored = self._score_program(params, self._scoring, *map(ops.convert_to_tensor, filled))
            found.append(_numpy(scored)[:, : len(units[here])])
        scores = np.concatenate(found, axis=1)
        if self.settings.loss != "cross_entropy":
            scores[1] = np.nan
        return scores

    def _probe(self) -> tuple[np.ndarray, np.ndarray]:
        units, bits = fair_arcs(self.space, 1, _MOST_ARCS_AT_ONCE, self._rng(4))
        return units[0], bits[0]

    def _fitting_arcs(self) -> int:
        folds, rows = self._scored["weights"].shape
        each = 4 * folds * rows * self.space.max_channel
        return int(np.clip(_BYTES_AT_ONCE // each, 1, _MOST_ARCS_AT_ONCE))

    def _training_constants(self) -> dict[str, Any]:
        data, rows = self._data, self._rows
        weights = data.train / data.train.sum(axis=1, keepdims=True)
        values = {"x": data.inputs[:, rows], "targets": data.targets[rows], "weights": weights[:, rows]}
        return {name: as_tensor(array) for name, array in values.items()}

    def _draw(self) -> dict[str, np.ndarray]:
        steps, settings = self.settings.chunk_steps, self.settings
        units, bits = fair_arcs(self.space, steps, settings.arcs_per_step, self._arcs_rng)
        pool, picks = self._noise.draw(steps)
        schedule = Cosine(settings.steps)
        rates = settings.learning_rate * schedule.factors(self.steps_done, steps, np.empty((0, 1)))[:, 0]
        drawn = {"units": units, "bits": bits, "pool": pool, "picks": picks, "rates": rates}
        return {**drawn, "batches": self._batches.draw(steps)}

    # ---- inside the compiled calls

    def _chunk(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], done: Any, todo: Any
    ) -> Any:
        def step(position: Any, carried: list[Any]) -> list[Any]:
            state, total = carried
            state, loss = self._step(state, constants, drawn, position, ops.cast(done + position, "float32"))
            return [state, total + loss]

        state, total = self._backend.repeat(todo, step, [state, ops.zeros(())])
        return state, ops.stack([total, self._penalty(state[0])])

    def _step(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], position: Any, at: Any
    ) -> tuple[list[Any], Any]:
        x, targets, weights = self._batch(constants, drawn["batches"], position)
        units, bits = (self._backend.taken(drawn[name], position) for name in ("units", "bits"))
        masks = self._masks(drawn, position)
        params, memory = state

        def loss(params: list[Any]) -> Any:
            outputs = supernet_outputs(params, x, units, bits, self.settings.activation, masks)
            losses = self._loss(outputs, targets[None, None])
            return ops.sum(weights[:, None] * losses) / self.settings.arcs_per_step + self._penalty(params)

        value, gradients = self._backend.value_and_gradients(loss, params)
        rate = self._backend.taken(drawn["rates"], position)[None, None, None]
        decay = self.settings.weight_decay * rate
        decays = [decay, 0.0 * decay] * (len(params) // 2)
        rates = [rate] * len(params)
        state = list(self.settings.optimizer.step(params, gradients, memory, at + 1, rates, decays))
        return state, value / self._data.n_folds

    def _penalty(self, params: Sequence[Any]) -> Any:
        """Every fold's own, summed as their losses are."""
        if not self.settings.child_l2_reg:
            return ops.zeros(())
        return 0.5 * self.settings.child_l2_reg * sum(ops.sum(ops.square(kernel)) for kernel in params[::2])

    def _batch(self, constants: dict[str, Any], batches: Any, position: Any) -> tuple[Any, Any, Any]:
        if self._full_batch:
            return constants["x"], constants["targets"], constants["weights"]
        rows = self._backend.taken(batches, position)
        share = len(self._rows) / self.settings.batch_size
        return (
            self._backend.taken(constants["x"], rows, axis=1),
            self._backend.taken(constants["targets"], rows),
            share * self._backend.taken(constants["weights"], rows, axis=1),
        )

    def _masks(self, drawn: dict[str, Any], position: Any) -> list[Any]:
        if not self.settings.dropout:
            return []
        folds, arcs = self._data.n_folds, self.settings.arcs_per_step
        threshold = int(dropout_threshold(np.array(self.settings.dropout)))
        keep = (NOISE_LEVELS - threshold) / NOISE_LEVELS
        picks, masks = self._backend.taken(drawn["picks"], position), []
        for number in range(self.space.n_layers + 1):
            pick = picks[number] if number else picks[number][:folds]
            noise = self._backend.taken(drawn["pool"], pick)
            noise = ops.reshape(noise, (folds, arcs if number else 1, *noise.shape[1:]))
            masks.append(ops.where(noise >= threshold, 1.0 / keep, 0.0))
        return masks

    def _score(self, params: list[Any], constants: dict[str, Any], units: Any, bits: Any) -> Any:
        outputs = supernet_outputs(params, constants["x"], units, bits, self.settings.activation)
        targets, weights = constants["targets"][:, None], constants["weights"][:, None]
        right = ops.equal(ops.argmax(outputs, axis=-1), ops.argmax(targets, axis=-1))
        values = (self._loss(outputs, targets), ops.cast(right, "float32"))
        return ops.stack([ops.sum(weights * value, axis=(0, 2)) for value in values])


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(value))
