"""Samples that networks are trained and scored on, and the order in which batches take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from genokeras.encoders.encoder import NetworkEncoder, Rows, take
from genokeras.tasks.task import Task
from genokeras.training.device_steps import DeviceData, on_device

# Larger data stay in the memory of the host, from where batches are copied one by one.
MOST_ON_DEVICE = 2**31

Fed = tuple[DeviceData, np.ndarray, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Samples:
    """What a network is trained and scored on.

    Attributes
    ----------
    task : Task
    encoder : NetworkEncoder
    rows : dict of str to numpy.ndarray
    targets : numpy.ndarray
        ``(n, ...)`` as the task has them.
    weight : numpy.ndarray
        ``(n,)``.
    whole : Samples or None
        Those that these were taken from, whose rows on the device they share; None: from no others.
    positions : numpy.ndarray or None
        ``(n,)`` of these among `whole`.
    """

    task: Task
    encoder: NetworkEncoder
    rows: Rows
    targets: np.ndarray
    weight: np.ndarray
    whole: Samples | None = None
    positions: np.ndarray | None = None

    def take(self, picked: np.ndarray) -> Samples:
        """The samples that a mask or positions select."""
        return replace(
            self,
            rows=take(self.rows, picked),
            targets=self.targets[picked],
            weight=self.weight[picked],
            whole=self.whole or self,
            positions=self._positions[picked],
        )

    @property
    def _positions(self) -> np.ndarray:
        return np.arange(len(self.targets)) if self.positions is None else self.positions

    def batches(self, size: int, rng: np.random.Generator) -> Feed:
        """An endless stream of batches; each sample comes once in every turn, in an order drawn anew."""
        return Feed(self, size, rng)

    # ---- on the device

    @cached_property
    def _read_rows(self) -> Rows:
        return {name: self.rows[name] for name in self.encoder.read_rows}

    @cached_property
    def _resident(self) -> DeviceData | None:
        """All samples as tensors, where there is room."""
        if sum(values.nbytes for values in self._read_rows.values()) > MOST_ON_DEVICE:
            return None
        return self.copied(np.arange(len(self.targets)))

    def copied(self, picked: np.ndarray) -> DeviceData:
        """The samples at these positions as tensors."""
        targets = self.task.training_targets(self.targets[picked])
        weight = self.weight[picked].astype("float32") if self._is_weighted else None
        return on_device(take(self._read_rows, picked), targets, weight)

    @cached_property
    def _is_weighted(self) -> bool:
        return len(np.unique(self.weight)) > 1


class Feed:
    """Which samples each step sees, the tensors that they are gathered from, and what is drawn for them.

    Parameters
    ----------
    samples : Samples
    size : int
        Of a batch.
    rng : numpy.random.Generator
        Of the order, and of the random changes.
    """

    def __init__(self, samples: Samples, size: int, rng: np.random.Generator) -> None:
        self._samples = samples
        self._size = size
        self._rng = rng
        self._waiting = np.empty(0, dtype=np.int64)
        self._whole = samples.whole or samples

    def next(self, count: int) -> Iterator[Fed]:
        """What the next steps need: all at once where the samples are on the device, else step by step."""
        steps = [self._draw() for _ in range(count)]
        resident = self._whole._resident
        if resident is None:
            within = np.arange(self._size, dtype="int32")[None]
            for picked, drawn in steps:
                alone = {name: values[None] for name, values in drawn.items()}
                yield self._samples.copied(picked), within, alone
            return
        positions = self._samples._positions
        picked = np.stack([positions[picked] for picked, _ in steps]).astype("int32")
        yield resident, picked, {name: np.stack([drawn[name] for _, drawn in steps]) for name in steps[0][1]}

    def _draw(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        while len(self._waiting) < self._size:
            more = self._rng.permutation(len(self._samples.targets))
            self._waiting = np.concatenate([self._waiting, more])
        picked, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        return picked, self._samples.encoder.draw(self._samples.rows, picked, self._rng)
