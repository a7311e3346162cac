"""Train the members of a packed task inside one compiled loop.

A chunk of steps is one compiled call: optimiser steps, scorings, and the choice of the best weights by ``where`` all
happen there. Between chunks the caller may stop (time limit, Ctrl-C); what was best so far is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from genokeras.networks import DenseRole, PackedNetwork, build_packed, dense_roles, gather_weights, slot_array
from genokeras.training.backends import Backend, current_backend
from genokeras.training.noise import NOISE_LEVELS, DropoutNoise, dropout_threshold
from genokeras.training.optimizer import adamw_step, cosine

from genokeras.training.task import PackedResult, PackedTask, TrainingSettings

LINEAR_RATE_FACTOR = 10.0
_KEPT_PROGRAMS = 32


class PackedTrainer:
    """Trains packed tasks; keeps the compiled programs of the latest shapes, so that a second task of a shape is cheap.

    Parameters
    ----------
    settings : TrainingSettings
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self._backend = current_backend()
        self._programs: OrderedDict[Any, _Program] = OrderedDict()
        self.compilations = 0

    def run(self, task: PackedTask, should_stop: Callable[[], bool] = lambda: False) -> PackedResult:
        """Train all the members of ``task``; ``should_stop`` is asked between chunks of steps."""
        program = self._program(task)
        constants = program.constants(task)
        state = program.initial_state(task)
        noise = DropoutNoise(task.seed, program.network.masks, task.n_members, min(task.inputs.shape[1], self._rows(task)))
        rows = np.random.default_rng([task.seed, 1])
        curves, steps = [], 0
        chunk = program.chunk_steps
        while steps < self.settings.max_steps:
            pool, picks = noise.draw(chunk)
            batches = _draw_batches(rows, task.inputs.shape[1], self._rows(task), chunk)
            state, curve = program.run(state, constants, [pool, picks], batches, float(steps))
            steps += chunk
            curves.append(ops.convert_to_numpy(curve))
            if not (_stale(state) < self.settings.patience).any() or should_stop():
                break
        return program.result(state, np.concatenate(curves), steps)

    def _rows(self, task: PackedTask) -> int:
        return min(task.inputs.shape[1], self.settings.batch_size)

    def _program(self, task: PackedTask) -> _Program:
        key = (task.graph, task.activation, task.inputs.shape, task.targets.shape[1], task.n_members, task.n_trials)
        if key in self._programs:
            self._programs.move_to_end(key)
        else:
            self._programs[key] = _Program(task, self.settings, self._backend)
            self.compilations += 1
        if len(self._programs) > _KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return self._programs[key]


def _draw_batches(rng: np.random.Generator, n: int, batch: int, steps: int) -> np.ndarray:
    if batch >= n:
        return np.zeros((steps, 0), dtype="int32")
    per_epoch = n // batch
    epochs = [rng.permutation(n)[: per_epoch * batch].reshape(per_epoch, batch) for _ in range(-(-steps // per_epoch))]
    return np.concatenate(epochs)[:steps].astype("int32")


# State of a run, a list because every backend carries lists through its loops.
_PARAMS, _MEANS, _SQUARES, _BEST_PARAMS, _BEST_LOGITS, _BEST_LOSS, _BEST_STEP, _STALE = range(8)


def _stale(state: list[Any]) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(state[_STALE]))


class _Program:
    """The compiled chunk of one graph at one set of shapes."""

    def __init__(self, task: PackedTask, settings: TrainingSettings, backend: Backend) -> None:
        self.settings = settings
        self.backend = backend
        self.full_batch = task.inputs.shape[1] <= settings.batch_size
        members, (_, _, rank) = task.n_members, task.inputs.shape
        self.network: PackedNetwork = build_packed(task.graph, rank, members, task.activation)
        self.roles: dict[int, DenseRole] = dense_roles(task.graph)
        self.scorings = max(1, min(settings.chunk_steps, settings.max_steps) // settings.score_every)
        self.chunk_steps = self.scorings * min(settings.score_every, settings.max_steps)
        self.inner_steps = self.chunk_steps // self.scorings
        self._run = backend.compile(self._chunk)

    # ---- values in, values out

    def constants(self, task: PackedTask) -> dict[str, Any]:
        membership = np.eye(task.n_trials, dtype="float32")[task.trial_of_member].T
        per_trial = membership / membership.sum(axis=1, keepdims=True)
        threshold = dropout_threshold(task.dropout)
        values = {
            "x": task.inputs,
            "targets": task.targets[None],
            "train_weights": task.train_weights,
            "score_weights": task.score_weights,
            "membership": membership,
            "mean_of_members": per_trial,
            "learning_rate": task.learning_rate[:, None, None],
            "linear_rate": (LINEAR_RATE_FACTOR * task.learning_rate / np.sqrt(task.input_rank))[:, None, None],
            "decay": (task.learning_rate * task.weight_decay)[:, None, None],
            "threshold": threshold[:, None, None],
            "inverse_keep": (NOISE_LEVELS / (NOISE_LEVELS - threshold))[:, None, None],
        }
        return {name: ops.convert_to_tensor(value.astype("float32")) for name, value in values.items()}

    def initial_state(self, task: PackedTask) -> list[Any]:
        params = [_tensor(slot_array(task.weights, slot)) for slot in self.network.slots]
        zeros = [ops.zeros_like(p) for p in params]
        members, rows, classes = task.n_members, task.inputs.shape[1], task.targets.shape[1]
        trials = task.n_trials
        return [
            params,
            zeros,
            [ops.zeros_like(p) for p in params],
            [ops.copy(p) for p in params],
            ops.zeros((members, rows, classes)),
            ops.full((trials,), np.inf),
            ops.zeros((trials,)),
            ops.zeros((trials,)),
        ]

    def run(
        self, state: list[Any], constants: dict[str, Any], noise: list[np.ndarray], batches: np.ndarray, done: float
    ) -> tuple[list[Any], Any]:
        tensors = [ops.convert_to_tensor(array) for array in noise]
        return self._run(state, constants, tensors, ops.convert_to_tensor(batches), _tensor(done))

    def result(self, state: list[Any], curves: np.ndarray, steps: int) -> PackedResult:
        def numpy(value: Any) -> np.ndarray:
            return np.asarray(ops.convert_to_numpy(value))

        return PackedResult(
            weights=gather_weights(self.network.slots, [numpy(p) for p in state[_BEST_PARAMS]]),
            logits=numpy(state[_BEST_LOGITS]),
            best_step=numpy(state[_BEST_STEP]).astype(int),
            best_loss=numpy(state[_BEST_LOSS]),
            curves=curves,
            curve_steps=self.inner_steps * np.arange(1, len(curves) + 1),
            steps=steps,
        )

    # ---- inside the compiled call

    def _chunk(self, state: list[Any], constants: dict[str, Any], noise: list[Any], batches: Any, done: Any) -> Any:
        curve = ops.zeros((self.scorings, constants["membership"].shape[0], 2))

        def score(index: Any, carried: list[Any]) -> list[Any]:
            inner, curve = carried
            first = index * self.inner_steps

            def step(offset: Any, inner: list[Any]) -> list[Any]:
                position = first + offset
                return self._step(inner, constants, noise, batches, position, done + ops.cast(position, "float32"))

            inner = self.backend.repeat(self.inner_steps, step, inner)
            at = done + ops.cast(first + self.inner_steps, "float32")
            inner, losses = self._score(inner, constants, at)
            here = ops.cast(ops.equal(ops.arange(self.scorings), index), "float32")
            return [inner, curve + here[:, None, None] * losses[None]]

        return self.backend.repeat(self.scorings, score, [state, curve])

    def _step(self, state: list[Any], constants: dict[str, Any], noise: list[Any], batches: Any, position: Any, at: Any) -> list[Any]:
        x, targets, row_weights = self._batch(constants, batches, position)
        masks = self._masks(constants, noise, position)

        def loss(params: list[Any]) -> Any:
            return ops.sum(row_weights * self._cross_entropy(params, x, targets, masks)[0])

        params = state[_PARAMS]
        _, gradients = self.backend.value_and_gradients(loss, params)
        left = cosine(at, self.settings.schedule_steps or self.settings.max_steps)
        moved = [
            adamw_step(p, g, m, v, at + 1, left * rate, left * decay)
            for p, g, m, v, (rate, decay) in zip(
                params, gradients, state[_MEANS], state[_SQUARES], self._rates(constants), strict=True
            )
        ]
        return [[list(column) for column in zip(*moved, strict=True)][i] for i in range(3)] + state[_BEST_PARAMS:]

    def _rates(self, constants: dict[str, Any]) -> list[tuple[Any, Any]]:
        """Step size and decay of every weight: the linear path moves faster; biases do not decay."""
        rates = []
        for layer_id, name in self.network.slots:
            linear = self.roles[layer_id] is DenseRole.LINEAR
            rate = constants["linear_rate"] if linear else constants["learning_rate"]
            decay = constants["decay"] * (LINEAR_RATE_FACTOR if linear else 1.0)
            rates.append((rate, 0.0 * decay if name == "bias" else decay))
        return rates

    def _batch(self, constants: dict[str, Any], batches: Any, position: Any) -> tuple[Any, Any, Any]:
        if self.full_batch:
            return constants["x"], constants["targets"], constants["train_weights"]
        rows = ops.take(batches, position, axis=0)
        weights = ops.take(constants["train_weights"], rows, axis=1)
        share = constants["train_weights"].shape[1] / rows.shape[0]
        return ops.take(constants["x"], rows, axis=1), ops.take(constants["targets"], rows, axis=1), share * weights

    def _masks(self, constants: dict[str, Any], noise: list[Any], position: Any) -> list[Any]:
        pool, picks = noise
        masks = []
        for index, (_, units) in enumerate(self.network.masks):
            drawn = ops.take(pool[:, :, :units], ops.take(picks, position, axis=0)[index], axis=0)
            kept = ops.cast(ops.cast(drawn, "float32") >= constants["threshold"], "float32")
            masks.append(kept * constants["inverse_keep"])
        return masks

    def _cross_entropy(self, params: list[Any], x: Any, targets: Any, masks: list[Any]) -> tuple[Any, Any]:
        logits, _ = self.network.model.stateless_call(params, [], [x, *masks])
        return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1), logits

    def _score(self, state: list[Any], constants: dict[str, Any], at: Any) -> tuple[list[Any], Any]:
        ones = [ops.ones((1, 1, 1)) for _ in self.network.masks]
        entropy, logits = self._cross_entropy(state[_PARAMS], constants["x"], constants["targets"], ones)
        held_out = ops.matmul(constants["membership"], ops.sum(constants["score_weights"] * entropy, axis=1, keepdims=True))
        training = ops.matmul(
            constants["mean_of_members"], ops.sum(constants["train_weights"] * entropy, axis=1, keepdims=True)
        )
        losses = ops.concatenate([training, held_out], axis=1)
        return self._keep_best(state, constants, held_out[:, 0], logits, at), losses

    def _keep_best(self, state: list[Any], constants: dict[str, Any], loss: Any, logits: Any, at: Any) -> list[Any]:
        best, stale = state[_BEST_LOSS], state[_STALE]
        if self.settings.keep_last:
            loss = ops.where(ops.isfinite(loss), -at * ops.ones_like(loss), loss)
        active = stale < self.settings.patience
        better = ops.logical_and(active, loss < best)
        improved = ops.logical_and(active, loss < best - self.settings.min_improvement)
        member = ops.matmul(ops.transpose(constants["membership"]), ops.cast(better, "float32")[:, None])[:, :, None] > 0.5
        kept = [ops.where(member, new, old) for new, old in zip(state[_PARAMS], state[_BEST_PARAMS], strict=True)]
        return [
            state[_PARAMS],
            state[_MEANS],
            state[_SQUARES],
            kept,
            ops.where(member, logits, state[_BEST_LOGITS]),
            ops.where(better, loss, best),
            ops.where(better, at, state[_BEST_STEP]),
            ops.where(improved, ops.zeros_like(stale), stale + 1),
        ]


def _tensor(value: Any) -> Any:
    return ops.convert_to_tensor(np.asarray(value, dtype="float32"))
