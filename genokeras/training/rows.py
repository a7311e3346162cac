"""Which rows the members of a packed task train on, and which they are scored on.

A task of no more rows than a mini-batch uses all of them in every step and every scoring. In a larger one a member is
scored on the rows it does not train on, and on a fixed sample of the others for the training curve: a scoring of
everything would cost as much as many steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.training.task import MemberTask

_BATCHES_AT_ONCE = 4


@dataclass(frozen=True)
class ScoringBlocks:
    """The rows that each member is scored on, in blocks that are computed one after the other.

    =========  ============================================================
    symbol     meaning
    =========  ============================================================
    M          members
    s          rows that a member is scored on, ``n_blocks`` times a block
    =========  ============================================================

    Attributes
    ----------
    rows : numpy.ndarray
        ``(M, s)`` int32; a member with fewer repeats its first one, which then weighs 0.
    train_weights, score_weights : numpy.ndarray
        ``(M, s)`` float32: what each row counts in the training and in the held-out curve.
    n_blocks : int
    """

    rows: np.ndarray
    train_weights: np.ndarray
    score_weights: np.ndarray
    n_blocks: int

    def blocks(self, array: np.ndarray) -> np.ndarray:
        """``(M, s, ...)`` -> ``(n_blocks, M, s / n_blocks, ...)``."""
        split = array.reshape(len(array), self.n_blocks, -1, *array.shape[2:])
        return np.ascontiguousarray(np.moveaxis(split, 1, 0))

    def joined(self, blocks: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`blocks`."""
        members = blocks.shape[1]
        return np.moveaxis(blocks, 0, 1).reshape(members, -1, *blocks.shape[3:])


def scored_rows(task: MemberTask, batch_size: int) -> ScoringBlocks:
    """The rows that the members of ``task`` are scored on where a mini-batch has ``batch_size`` rows."""
    n = task.inputs.shape[1]
    if n <= batch_size:
        rows = np.broadcast_to(np.arange(n, dtype="int32"), task.train_weights.shape)
        return ScoringBlocks(rows, task.train_weights, task.score_weights, 1)
    shuffled = np.random.default_rng([task.seed, 2]).permutation(n)
    chosen = [
        _of_member(train, score, shuffled, batch_size)
        for train, score in zip(task.train_weights, task.score_weights, strict=True)
    ]
    longest = max(map(len, chosen))
    n_blocks = -(-longest // (_BATCHES_AT_ONCE * batch_size))
    length = n_blocks * -(-longest // n_blocks)
    rows = np.stack([np.pad(r, (0, length - len(r)), constant_values=r[0]) for r in chosen])
    real = np.arange(length) < np.array([len(r) for r in chosen])[:, None]
    sampled = real * np.take_along_axis(task.train_weights, rows, axis=1)
    total = sampled.sum(axis=1, keepdims=True)
    train = np.divide(sampled, total, out=np.zeros_like(sampled), where=total > 0)
    score = real * np.take_along_axis(task.score_weights, rows, axis=1)
    return ScoringBlocks(rows.astype("int32"), train.astype("float32"), score.astype("float32"), n_blocks)


def _of_member(train: np.ndarray, score: np.ndarray, shuffled: np.ndarray, sample: int) -> np.ndarray:
    """Row numbers, in order: those not trained on, those with a score weight, and ``sample`` others at most."""
    needed = (train == 0) | (score > 0)
    needed[shuffled[~needed[shuffled]][:sample]] = True
    return np.flatnonzero(needed)


def trained_rows(task: MemberTask, batch_size: int) -> np.ndarray:
    """Numbers of the rows that mini-batches are drawn from: those some member trains on, unless they fill no batch."""
    rows = np.flatnonzero(task.train_weights.any(axis=0))
    return (rows if len(rows) > batch_size else np.arange(task.inputs.shape[1])).astype("int32")
