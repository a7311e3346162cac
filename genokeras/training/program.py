"""The compiled chunk of steps of a packed run: optimiser steps, scorings, and the choice of the best weights by ``where``.

Between chunks the caller may stop (time limit, Ctrl-C) or change the learning rates; what was best so far is kept.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from keras import ops, tree

from genokeras.support.backends import Backend
from genokeras.training.architectures import Architecture, OneGraph, PaddedGraphs
from genokeras.training.constants import as_tensor, free_axes
from genokeras.training.goals import MONITORS, Loss, NamedLoss
from genokeras.training.optimizers import Factors, dense_factors, sampled_classes, sampled_values
from genokeras.training.rows import ScoringBlocks
from genokeras.training.task import MemberTask, PackedResult, TrainingSettings

# State of a run, a list because every backend carries lists through its loops.
_PARAMS, _MEMORY, _BEST_PARAMS, _BEST_LOGITS, _BEST, _BEST_LOSS, _BEST_STEP, _STALE = range(8)
# Columns of the curve.
_TRAINING, _HELD_OUT, _MONITORED = range(3)


class Program:
    """The compiled chunk of one graph, or of one shape class, at one set of shapes; on some backends for any number of members."""

    def __init__(
        self,
        architecture: Architecture,
        task: MemberTask,
        scored: ScoringBlocks,
        settings: TrainingSettings,
        backend: Backend,
    ) -> None:
        self.settings = settings
        self.backend = backend
        self.full_batch = settings.batch_of(task.inputs.shape[1]) == task.inputs.shape[1]
        self.n_blocks = scored.n_blocks
        self.update = settings.optimizer
        self.loss: Loss = NamedLoss(settings.loss) if isinstance(settings.loss, str) else settings.loss
        self.monitor = MONITORS[settings.monitor]
        self.architecture = architecture
        needed = -(-settings.max_steps // settings.score_every)
        self.scorings = min(needed, max(1, settings.chunk_steps // settings.score_every))
        self.chunk_steps = self.scorings * settings.score_every
        free = isinstance(architecture, PaddedGraphs)
        self._run = backend.compile(self._chunk, self._free_axes if free else None)
        # Of the first chunk, nearly all of it for compiling; None before it.
        self.seconds_to_begin: float | None = None

    # ---- values in, values out

    def initial_state(self, task: MemberTask, scored: ScoringBlocks) -> list[Any]:
        params = [as_tensor(array) for array in self.architecture.start(task)]
        members, rows = scored.rows.shape
        shape = (scored.n_blocks, members, rows // scored.n_blocks, task.targets.shape[1])
        trials = task.n_trials
        return [
            params,
            self.update.initial_state(params),
            [ops.copy(p) for p in params],
            ops.zeros(shape),
            as_tensor(np.full(trials, np.inf)),
            as_tensor(np.full(trials, np.inf)),
            ops.zeros((trials,)),
            ops.zeros((trials,)),
        ]

    def run(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], done: int, steps: int
    ) -> tuple[list[Any], np.ndarray]:
        """``steps`` further steps behind the first ``done``, with what was drawn for a whole chunk.

        Returns the state and the curve ``(scorings, trials, 3)``: training loss, held-out loss, what is monitored.
        """
        tensors = {name: as_tensor_as_is(array) for name, array in drawn.items()}
        span = [ops.convert_to_tensor(np.int32(number)) for number in (done, steps)]
        started = time.perf_counter()
        state, curve = self._run(state, constants, tensors, *span)
        if self.seconds_to_begin is None:
            self.seconds_to_begin = time.perf_counter() - started
        return state, np.asarray(ops.convert_to_numpy(curve))[: -(-steps // self.settings.score_every)]

    def unsettled(self, state: list[Any]) -> np.ndarray:
        """``(trials,)`` bool: which have not lost their patience yet."""
        return np.asarray(ops.convert_to_numpy(state[_STALE])) < self.settings.patience

    def taken(self, state: list[Any], members: np.ndarray, trials: np.ndarray) -> list[Any]:
        """The state of these members and trials."""
        found = []
        for part, tensors in enumerate(state):
            axis = 1 if part == _BEST_LOGITS else 0
            chosen = trials if part in (_BEST, _BEST_LOSS, _BEST_STEP, _STALE) else members
            found.append(tree.map_structure(lambda t, c=chosen, a=axis: ops.take(t, c, axis=a), tensors))
        return found

    def result(
        self, task: MemberTask, state: list[Any], scored: ScoringBlocks, curves: np.ndarray, steps: int
    ) -> PackedResult:
        def numpy(value: Any) -> np.ndarray:
            return np.asarray(ops.convert_to_numpy(value))

        every = self.settings.score_every
        return PackedResult(
            networks=self.architecture.weights(task, [numpy(p) for p in state[_BEST_PARAMS]]),
            logits=scored.joined(numpy(state[_BEST_LOGITS])),
            rows=scored.rows,
            best_step=numpy(state[_BEST_STEP]).astype(int),
            best_loss=numpy(state[_BEST_LOSS]),
            curves=curves[:, :, :_MONITORED],
            monitored=curves[:, :, _MONITORED],
            curve_steps=np.minimum(every * np.arange(1, len(curves) + 1), steps),
            n_scorings=np.full(task.n_trials, len(curves)),
            steps=steps,
        )

    def _free_axes(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], *span: Any
    ) -> list[tuple[int, ...]]:
        """Axes that are as long as there are members or trials, for the arguments of the compiled call, flattened."""
        flat: list[tuple[int, ...]] = []
        for part, tensors in enumerate(state):
            flat += [(1,) if part == _BEST_LOGITS else (0,)] * len(tree.flatten(tensors))
        flat += [free_axes(name) for name in sorted(constants)]
        flat += [{"picks": (2,), "factors": (1,)}.get(name, ()) for name in sorted(drawn)]
        return flat + [()] * len(span)

    # ---- inside the compiled call

    def _chunk(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], done: Any, todo: Any
    ) -> Any:
        every = self.settings.score_every
        # Of the shape (scorings, trials, 3), without asking how many trials there are.
        curve = ops.zeros((self.scorings, 1, 3)) + ops.zeros_like(constants["membership"][:, :1])[None]

        def score(index: Any, carried: list[Any]) -> list[Any]:
            inner, curve = carried
            first = index * every
            last = ops.minimum(first + every, todo)

            def step(offset: Any, inner: list[Any]) -> list[Any]:
                position = first + offset
                return self._step(inner, constants, drawn, position, ops.cast(done + position, "float32"))

            inner = self.backend.repeat(last - first, step, inner)
            inner, values = self._score(inner, constants, ops.cast(done + last, "float32"))
            here = ops.cast(ops.equal(ops.arange(self.scorings), index), "float32")
            return [inner, curve + here[:, None, None] * values[None]]

        return self.backend.repeat((todo + every - 1) // every, score, [state, curve])

    def _step(
        self, state: list[Any], constants: dict[str, Any], drawn: dict[str, Any], position: Any, at: Any
    ) -> list[Any]:
        x, targets, row_weights = self._batch(constants, drawn["batches"], position)
        masks = self._masks(constants, drawn, position)

        def loss(outputs: Any) -> Any:
            return ops.sum(self.loss.total_loss(outputs, targets, row_weights))

        params = state[_PARAMS]
        gradients = self.architecture.gradients(loss, params, x, masks, constants)
        factors = self._factors(params, x, masks, row_weights, at) if self.update.needs_factors else None
        left = self.backend.taken(drawn["factors"], position)[:, None, None]
        rates, decays = zip(*self.architecture.rates(constants, left), strict=True)
        moved, memory = self.update.step(
            params, gradients, state[_MEMORY], at + 1, list(rates), list(decays), factors
        )
        return [moved, memory, *state[_BEST_PARAMS:]]

    def _factors(self, params: list[Any], x: Any, masks: list[Any], row_weights: Any, at: Any) -> Factors:
        architecture = self.architecture
        assert isinstance(architecture, OneGraph)
        draw = sampled_classes if self.settings.loss == "cross_entropy" else sampled_values

        def sample(outputs: Any) -> Any:
            return draw(outputs, at)

        arrays = architecture.model_arrays(x, masks)
        return dense_factors(
            self.backend, architecture.packed, params, arrays, row_weights, sample, self.loss.row_loss
        )

    def _batch(self, constants: dict[str, Any], batches: Any, position: Any) -> tuple[Any, Any, Any]:
        if self.full_batch:
            return constants["x"], constants["targets"], constants["train_weights"]
        rows = self.backend.taken(batches, position)
        weights = self.backend.taken(constants["train_weights"], rows, axis=1)
        return (
            self._gathered(constants, rows[None]),
            self.backend.taken(constants["targets"], rows, axis=1),
            constants["share"] * weights,
        )

    def _gathered(self, constants: dict[str, Any], rows: Any) -> Any:
        """Rows ``(M or 1, b)`` of every member's inputs, ``(M, b, r)``."""
        return self.backend.taken(constants["x"], constants["first_row"] + rows)

    def _masks(self, constants: dict[str, Any], drawn: dict[str, Any], position: Any) -> list[Any]:
        layers, pool = self.architecture.masks, drawn["pool"]
        if not layers:
            return []
        picks = ops.unstack(self.backend.taken(drawn["picks"], position), len(layers))
        # Compared as bytes: a mask is as large as the layer it is for, and memory is what it costs.
        thresholds = ops.unstack(ops.cast(constants["threshold"], "uint8"), len(layers))
        inverses = ops.unstack(constants["inverse_keep"], len(layers))
        masks = []
        for units, pick, threshold, inverse in zip(layers, picks, thresholds, inverses, strict=True):
            noise = self.backend.taken(pool if units == pool.shape[2] else pool[:, :, :units], pick)
            masks.append(ops.where(noise >= threshold, inverse, 0.0))
        return masks

    def _score(self, state: list[Any], constants: dict[str, Any], at: Any) -> tuple[list[Any], Any]:
        sums = self._block(state, constants, 0) if self.n_blocks == 1 else self._blocks(state, constants)
        training = _over_members(constants["mean_of_members"], sums[0])
        held_out = _over_members(constants["membership"], sums[1])
        monitored = self.monitor.value(ops.matmul(constants["membership"], sums[2]), held_out)
        state = self._keep_best(state, constants, (monitored, held_out), sums[3], at)
        return state, ops.stack([training, held_out, monitored], axis=1)

    def _block(self, state: list[Any], constants: dict[str, Any], index: Any) -> list[Any]:
        """Losses of training and held-out rows and what is monitored, summed over the rows of a block, and their logits."""
        rows, targets, train_weights, score_weights = (
            self.backend.taken(constants[f"scored_{name}"], index)
            for name in ("rows", "targets", "train", "held_out")
        )
        x = constants["x"] if self.full_batch else self._gathered(constants, rows)
        outputs = self.architecture.outputs(state[_PARAMS], x, None, constants)
        return [
            self.loss.total_loss(outputs, targets, train_weights),
            self.loss.total_loss(outputs, targets, score_weights),
            self.monitor.sums(outputs, targets, score_weights),
            outputs[None],
        ]

    def _blocks(self, state: list[Any], constants: dict[str, Any]) -> list[Any]:
        """As `_block`, for all blocks one after the other."""

        def block(index: Any, carried: list[Any]) -> list[Any]:
            *sums, outputs = self._block(state, constants, index)
            here = ops.equal(ops.arange(self.n_blocks), index)[:, None, None, None]
            added = [before + more for before, more in zip(carried, sums, strict=False)]
            return [*added, ops.where(here, outputs, carried[-1])]

        nothing = ops.zeros_like(constants["membership"][0])
        targets, weights = constants["scored_targets"][0], constants["scored_held_out"][0]
        uncounted = ops.zeros_like(self.monitor.sums(targets, targets, weights))
        carried = [nothing, nothing, uncounted, ops.zeros_like(state[_BEST_LOGITS])]
        return self.backend.repeat(self.n_blocks, block, carried)

    def _keep_best(
        self, state: list[Any], constants: dict[str, Any], values: tuple[Any, Any], logits: Any, at: Any
    ) -> list[Any]:
        (value, loss), best, stale = values, state[_BEST], state[_STALE]
        late = at > min(self.settings.min_steps, self.settings.max_steps - 1)
        eligible = ops.logical_and(late, ops.logical_and(stale < self.settings.patience, ops.isfinite(loss)))
        if self.settings.keep_last:
            better = improved = eligible
        else:
            better = ops.logical_and(eligible, value < best)
            improved = ops.logical_and(eligible, value < best - self.settings.min_improvement)
        chosen = ops.cast(better, "float32")[:, None]
        member = ops.matmul(ops.transpose(constants["membership"]), chosen)[:, :, None] > 0.5
        kept = [
            ops.where(member, new, old) for new, old in zip(state[_PARAMS], state[_BEST_PARAMS], strict=True)
        ]
        return [
            state[_PARAMS],
            state[_MEMORY],
            kept,
            ops.where(member, logits, state[_BEST_LOGITS]),
            ops.where(better, value, best),
            ops.where(better, loss, state[_BEST_LOSS]),
            ops.where(better, at, state[_BEST_STEP]),
            ops.where(improved, ops.zeros_like(stale), stale + ops.cast(late, "float32")),
        ]


def _over_members(shares: Any, losses: Any) -> Any:
    """``(trials, members)`` shares and ``(members,)`` losses -> ``(trials,)``; one's NaN is not the others'."""
    totals = shares * losses[None]
    return ops.sum(ops.where(shares > 0, totals, ops.zeros_like(totals)), axis=1)


def as_tensor_as_is(array: np.ndarray) -> Any:
    """A tensor of the array's own type; float64 becomes float32."""
    return ops.convert_to_tensor(array.astype("float32") if array.dtype == "float64" else array)
