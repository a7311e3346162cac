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

from genokeras.graph import Dropout
from genokeras.networks import (
    DenseRole,
    PackedNetwork,
    build_packed,
    dense_roles,
    gather_weights,
    slot_array,
)
from genokeras.training.backends import Backend, current_backend
from genokeras.training.batches import MiniBatches
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
        n_rows, settings = task.inputs.shape[1], self.settings
        noise = DropoutNoise(
            task.seed, program.network.masks, task.n_members, min(n_rows, settings.batch_size)
        )
        batches = MiniBatches(task.seed, n_rows, settings.batch_size)
        curves, steps, chunk = [], 0, program.chunk_steps
        while steps < settings.max_steps:
            # As many as a whole chunk takes, also for a shorter last one: other shapes would compile again.
            drawn = noise.draw(chunk), batches.draw(chunk)
            state, curve = program.run(state, constants, *drawn, steps)
            steps = min(steps + chunk, settings.max_steps)
            curves.append(np.asarray(ops.convert_to_numpy(curve)))
            if not (_stale(state) < settings.patience).any() or should_stop():
                break
        return program.result(state, np.concatenate(curves), steps)

    def _program(self, task: PackedTask) -> _Program:
        key = (
            task.graph,
            task.activation,
            task.inputs.shape,
            task.targets.shape[1],
            task.n_members,
            task.n_trials,
        )
        if key in self._programs:
            self._programs.move_to_end(key)
        else:
            self._programs[key] = _Program(task, self.settings, self._backend)
            self.compilations += 1
        if len(self._programs) > _KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return self._programs[key]


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
        needed = -(-settings.max_steps // settings.score_every)
        self.scorings = min(needed, max(1, settings.chunk_steps // settings.score_every))
        self.chunk_steps = self.scorings * settings.score_every
        self._run = backend.compile(self._chunk)

    # ---- values in, values out

    def constants(self, task: PackedTask) -> dict[str, Any]:
        membership = np.eye(task.n_trials, dtype="float32")[task.trial_of_member].T
        per_trial = membership / membership.sum(axis=1, keepdims=True)
        threshold = dropout_threshold(_dropout_rates(self.network, task))
        values = {
            "x": np.broadcast_to(task.inputs, (task.n_members, *task.inputs.shape[1:])),
            "targets": task.targets[None],
            "train_weights": task.train_weights,
            "score_weights": task.score_weights,
            "membership": membership,
            "mean_of_members": per_trial,
            "learning_rate": task.learning_rate[:, None, None],
            "linear_rate": (LINEAR_RATE_FACTOR * task.learning_rate / np.sqrt(task.input_rank))[
                :, None, None
            ],
            "decay": (task.learning_rate * task.weight_decay)[:, None, None],
            "threshold": threshold[:, :, None, None],
            "inverse_keep": (NOISE_LEVELS / (NOISE_LEVELS - threshold))[:, :, None, None],
        }
        return {name: _tensor(value) for name, value in values.items()}

    def initial_state(self, task: PackedTask) -> list[Any]:
        params = [_tensor(slot_array(task.weights, slot)) for slot in self.network.slots]
        members, rows, classes = task.n_members, task.inputs.shape[1], task.targets.shape[1]
        trials = task.n_trials
        return [
            params,
            [ops.zeros_like(p) for p in params],
            [ops.zeros_like(p) for p in params],
            [ops.copy(p) for p in params],
            ops.zeros((members, rows, classes)),
            _tensor(np.full(trials, np.inf)),
            ops.zeros((trials,)),
            ops.zeros((trials,)),
        ]

    def run(
        self,
        state: list[Any],
        constants: dict[str, Any],
        noise: tuple[np.ndarray, np.ndarray],
        batches: np.ndarray,
        done: int,
    ) -> tuple[list[Any], Any]:
        """The next chunk behind the first ``done`` steps; the curve has a row for every scoring of a whole chunk."""
        tensors = [ops.convert_to_tensor(array) for array in noise]
        at = ops.convert_to_tensor(np.int32(done))
        state, curve = self._run(state, constants, tensors, ops.convert_to_tensor(batches), at)
        return state, curve

    def result(self, state: list[Any], curves: np.ndarray, steps: int) -> PackedResult:
        def numpy(value: Any) -> np.ndarray:
            return np.asarray(ops.convert_to_numpy(value))

        every = self.settings.score_every
        scorings = -(-steps // every)
        return PackedResult(
            weights=gather_weights(self.network.slots, [numpy(p) for p in state[_BEST_PARAMS]]),
            logits=numpy(state[_BEST_LOGITS]),
            best_step=numpy(state[_BEST_STEP]).astype(int),
            best_loss=numpy(state[_BEST_LOSS]),
            curves=curves[:scorings],
            curve_steps=np.minimum(every * np.arange(1, scorings + 1), steps),
            steps=steps,
        )

    # ---- inside the compiled call

    def _chunk(
        self, state: list[Any], constants: dict[str, Any], noise: list[Any], batches: Any, done: Any
    ) -> Any:
        every = self.settings.score_every
        todo = ops.minimum(self.chunk_steps, self.settings.max_steps - done)
        curve = ops.zeros((self.scorings, constants["membership"].shape[0], 2))

        def score(index: Any, carried: list[Any]) -> list[Any]:
            inner, curve = carried
            first = index * every
            last = ops.minimum(first + every, todo)

            def step(offset: Any, inner: list[Any]) -> list[Any]:
                position = first + offset
                at = ops.cast(done + position, "float32")
                return self._step(inner, constants, noise, batches, position, at)

            inner = self.backend.repeat(last - first, step, inner)
            inner, losses = self._score(inner, constants, ops.cast(done + last, "float32"))
            here = ops.cast(ops.equal(ops.arange(self.scorings), index), "float32")
            return [inner, curve + here[:, None, None] * losses[None]]

        return self.backend.repeat((todo + every - 1) // every, score, [state, curve])

    def _step(
        self,
        state: list[Any],
        constants: dict[str, Any],
        noise: list[Any],
        batches: Any,
        position: Any,
        at: Any,
    ) -> list[Any]:
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
        return [*map(list, zip(*moved, strict=True)), *state[_BEST_PARAMS:]]

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
        return (
            ops.take(constants["x"], rows, axis=1),
            ops.take(constants["targets"], rows, axis=1),
            share * weights,
        )

    def _masks(self, constants: dict[str, Any], noise: list[Any], position: Any) -> list[Any]:
        pool, picks = noise
        masks = []
        for index, (_, units) in enumerate(self.network.masks):
            drawn = ops.take(pool[:, :, :units], ops.take(picks, position, axis=0)[index], axis=0)
            # Compared as bytes: a mask is as large as the layer it is for, and memory is what it costs.
            kept = drawn >= ops.cast(constants["threshold"][index], "uint8")
            masks.append(ops.where(kept, constants["inverse_keep"][index], 0.0))
        return masks

    def _cross_entropy(self, params: list[Any], x: Any, targets: Any, masks: list[Any]) -> tuple[Any, Any]:
        logits, _ = self.network.model.stateless_call(params, [], [x, *masks])
        return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1), logits

    def _score(self, state: list[Any], constants: dict[str, Any], at: Any) -> tuple[list[Any], Any]:
        ones = [ops.ones((1, 1, 1)) for _ in self.network.masks]
        entropy, logits = self._cross_entropy(state[_PARAMS], constants["x"], constants["targets"], ones)
        held_out = _over_members(constants["membership"], constants["score_weights"] * entropy)
        training = _over_members(constants["mean_of_members"], constants["train_weights"] * entropy)
        return self._keep_best(state, constants, held_out, logits, at), ops.stack(
            [training, held_out], axis=1
        )

    def _keep_best(
        self, state: list[Any], constants: dict[str, Any], loss: Any, logits: Any, at: Any
    ) -> list[Any]:
        best, stale = state[_BEST_LOSS], state[_STALE]
        late = at > min(self.settings.min_steps, self.settings.max_steps - 1)
        eligible = ops.logical_and(late, ops.logical_and(stale < self.settings.patience, ops.isfinite(loss)))
        if self.settings.keep_last:
            better = improved = eligible
        else:
            better = ops.logical_and(eligible, loss < best)
            improved = ops.logical_and(eligible, loss < best - self.settings.min_improvement)
        chosen = ops.cast(better, "float32")[:, None]
        member = ops.matmul(ops.transpose(constants["membership"]), chosen)[:, :, None] > 0.5
        kept = [
            ops.where(member, new, old) for new, old in zip(state[_PARAMS], state[_BEST_PARAMS], strict=True)
        ]
        return [
            state[_PARAMS],
            state[_MEANS],
            state[_SQUARES],
            kept,
            ops.where(member, logits, state[_BEST_LOGITS]),
            ops.where(better, loss, best),
            ops.where(better, at, state[_BEST_STEP]),
            ops.where(improved, ops.zeros_like(stale), stale + ops.cast(late, "float32")),
        ]


def _over_members(shares: Any, losses: Any) -> Any:
    """``(trials, members)`` shares and ``(members, rows)`` losses -> ``(trials,)``; one's NaN is not the others'."""
    totals = shares * ops.sum(losses, axis=1)[None]
    return ops.sum(ops.where(shares > 0, totals, ops.zeros_like(totals)), axis=1)


def _dropout_rates(network: PackedNetwork, task: PackedTask) -> np.ndarray:
    """``(dropout layers, members)``: the layer's own rate, or else that of the member's trial."""
    rates = np.empty((len(network.masks), task.n_members))
    for row, (layer_id, _) in zip(rates, network.masks, strict=True):
        spec = task.graph.layer(layer_id).spec
        row[:] = spec.rate if isinstance(spec, Dropout) and spec.rate is not None else task.dropout
    return rates


def _tensor(value: Any) -> Any:
    return ops.convert_to_tensor(np.asarray(value, dtype="float32"))
