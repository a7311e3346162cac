"""Path integrals: integrated and expected gradients, with nodes where the output changes, until they add up.

===========  ==============================================================================  =======================
symbol       meaning                                                                         shape
===========  ==============================================================================  =======================
x, b         an explained sample, a background row; raw                                      ``(p,)``
q            coordinates of a sample: what the networks read, see :class:`Frame`             ``(r,)``
a_0 .. a_I   edges of the intervals into which the line from ``q(b)`` to ``q(x)`` is cut
g_i          gradient of an output in the middle of interval ``i``                           ``(r,)``
w_i          the interval's weight: its length, corrected so that ``w_i g_i . (q(x) - q(b))``
             is the change of the output over the interval
phi(x, b)    ``sum_i w_i g_i`` times ``q(x) - q(b)``, multiplied out to the genes            ``(p, n_outputs)``
K            outputs whose gradients are computed: all, or all but the last where they
             have a fixed sum
===========  ==============================================================================  =======================

Integrated gradients (Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep networks, ICML, eq. 1) have one
background row; expected gradients (Erion et al. 2021, Improving performance of deep learning models with axiomatic
attribution priors and expected gradients, Nature Machine Intelligence 3: 620-631, eq. 3) are the mean of ``phi`` over several.
Along most lines an output changes within a few per cent of the way, so that evenly or randomly spread nodes miss it: the
intervals are cut where equal parts of the change lie. The sum of ``phi`` over the genes is ``f(x) - f(b)``; samples where too much
of that is missing get more intervals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

TOLERANCE = 1e-3
DRAWS = 200
MOST_INTERVALS = 512
_COARSE = np.array([0.25, 0.5, 0.75])
_INTERVALS = 4
# Network evaluations a line: the coarse ones, the inner edges, the middles.
_EVALUATIONS = len(_COARSE) + _INTERVALS - 1 + _INTERVALS
_EVEN_SHARE = 0.1
_LARGEST_CORRECTION = 30.0
_RESOLVED = 1e-6
_CANDIDATES = 500
_GRADIENT_BYTES = 128 * 2**20


class Lines(Protocol):
    """Straight lines between coordinates, and places on them: 0 at the start, 1 at the end."""

    def outputs(self, alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        """Places ``(lines, count)`` -> ``(lines, count, n_outputs)`` float64; ``rough``: about."""
        ...

    def gradients(self, alphas: np.ndarray) -> np.ndarray:
        """Places ``(lines, count)`` -> ``(K, lines, count, r)`` float32."""
        ...


class Frame(Protocol):
    """A model, and the coordinates in which its gradients are taken."""

    n_coordinates: int
    n_outputs: int
    # Whether each output has units of its own, so that sizes of different outputs cannot be compared.
    own_units: bool

    def coordinates(self, x: np.ndarray) -> np.ndarray:
        """``(n, p)`` raw rows -> ``(n, r)`` float64."""
        ...

    def outputs(self, q: np.ndarray) -> np.ndarray:
        """``(n, r)`` -> ``(n, n_outputs)`` float64."""
        ...

    def lines(self, start: np.ndarray, end: np.ndarray) -> Lines:
        """Lines from every start ``(m, r)`` to every end ``(n, r)``: all lines to the first end, then all to the next."""
        ...

    def multiply_out(self, x: np.ndarray, background: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """``(n, p)``, ``(m, p)`` and gradients ``(n, K, m, r)`` -> ``(n, p, n_outputs)`` float32, summed over the background rows."""
        ...


@dataclass(frozen=True)
class Attributions:
    """What :func:`attribute` finds.

    Attributes
    ----------
    values : numpy.ndarray
        ``(n, p, n_outputs)`` float32.
    base : numpy.ndarray
        ``(n_outputs,)`` mean output on the background rows.
    outputs : numpy.ndarray
        ``(n, n_outputs)``.
    ranges : numpy.ndarray
        ``(n_outputs,)`` what errors of each output are measured by; see `ranges_of`.
    """

    values: np.ndarray
    base: np.ndarray
    outputs: np.ndarray
    ranges: np.ndarray


def attribute(
    frame: Frame, x: np.ndarray, background: np.ndarray, n_draws: int = DRAWS, tolerance: float = TOLERANCE
) -> Attributions:
    """Attribute outputs to genes, with as many intervals as each sample needs.

    Parameters
    ----------
    frame : Frame
    x : numpy.ndarray
        ``(n, p)``.
    background : numpy.ndarray
        ``(m, p)``; every row is used.
    n_draws : int
        Network evaluations a sample to begin with, spread over the background rows.
    tolerance : float
        Largest additivity error of a sample, as a share of the range of the outputs. Samples beyond it get more intervals, 512 at most.
    """
    ends = _Ends.of(frame, x), _Ends.of(frame, background)
    outputs, reference = ends[0].f, ends[1].f
    ranges = ranges_of(outputs, reference, frame.own_units)
    base = reference.mean(axis=0)
    count = int(np.clip(n_draws // len(background) * _INTERVALS // _EVALUATIONS, 1, MOST_INTERVALS))
    values = np.empty((len(x), x.shape[1], frame.n_outputs), dtype="float32")
    left = np.arange(len(x))
    while len(left):
        values[left] = _integrals(frame, ends[0].take(left), ends[1], count, ranges)
        missing = np.abs(values[left].sum(axis=1, dtype="float64") + base - outputs[left]) / ranges
        left = left[missing.max(axis=1) > tolerance] if count < MOST_INTERVALS else left[:0]
        count = min(2 * count, MOST_INTERVALS)
    return Attributions(values, base, outputs, ranges)


def ranges_of(outputs: np.ndarray, reference: np.ndarray, own_units: bool) -> np.ndarray:
    """``(n_outputs,)``: largest minus smallest output over samples ``(n, n_outputs)`` and background rows ``(m, n_outputs)``.

    The range of an output with units of its own is its own; of others it is that of the output with the widest. It is at least what float32 can
    resolve of the outputs.
    """
    both = np.concatenate([outputs, reference])
    ranges = both.max(axis=0) - both.min(axis=0)
    if not own_units:
        ranges = np.full_like(ranges, ranges.max())
    return np.asarray(np.maximum(ranges, np.abs(both).max(axis=0) * _RESOLVED + np.finfo("float32").tiny))


@dataclass(frozen=True)
class _Ends:
    """Ends of lines: raw rows, their coordinates, and the outputs there."""

    x: np.ndarray
    q: np.ndarray
    f: np.ndarray

    @classmethod
    def of(cls, frame: Frame, x: np.ndarray) -> _Ends:
        q = frame.coordinates(x)
        return cls(x, q, frame.outputs(q))

    def take(self, rows: np.ndarray | slice) -> _Ends:
        return _Ends(self.x[rows], self.q[rows], self.f[rows])


def _integrals(frame: Frame, samples: _Ends, background: _Ends, count: int, ranges: np.ndarray) -> np.ndarray:
    """``(n, p, n_outputs)``: the mean of ``phi`` over the background rows."""
    n, p = samples.x.shape
    values = np.zeros((n, p, frame.n_outputs), dtype="float32")
    for rows, part in _batches(frame, n, len(background.x), count):
        here, there = samples.take(rows), background.take(part)
        gradients = _mean_gradients(frame, here, there, count, ranges)
        values[rows] += frame.multiply_out(here.x, there.x, gradients) / np.float32(len(background.x))
    return values


def _batches(frame: Frame, n: int, m: int, count: int) -> Iterator[tuple[slice, slice]]:
    """Samples and background rows whose gradients fit into memory together."""
    lines = max(1, _GRADIENT_BYTES // (4 * frame.n_coordinates * (frame.n_outputs + 1) * count))
    if lines < m:
        for i in range(n):
            for start in range(0, m, lines):
                yield slice(i, i + 1), slice(start, start + lines)
        return
    for start in range(0, n, lines // m):
        yield slice(start, start + lines // m), slice(0, m)


def _mean_gradients(frame: Frame, here: _Ends, there: _Ends, count: int, ranges: np.ndarray) -> np.ndarray:
    """``(n, K, m, r)``: ``sum_i w_i g_i`` of every line."""
    n, m = len(here.q), len(there.q)
    first, last = np.tile(there.f, (n, 1)), np.repeat(here.f, m, axis=0)
    lines = frame.lines(there.q, here.q)

    def along(alphas: np.ndarray, rough: bool = False) -> np.ndarray:
        inner = lines.outputs(alphas, rough) if alphas.shape[1] else np.zeros((n * m, 0, frame.n_outputs))
        return np.concatenate([first[:, None], inner, last[:, None]], axis=1)

    edges = _edges(along(np.tile(_COARSE, (n * m, 1)), rough=True) / ranges, count)
    changes = np.diff(along(edges[:, 1:-1]), axis=1).transpose(2, 0, 1)
    g = lines.gradients(0.5 * (edges[:, 1:] + edges[:, :-1]))
    ahead = (here.q[:, None] - there.q).astype("float32").reshape(n * m, -1, 1)
    slopes = np.matmul(g, ahead)[..., 0]
    weights = _corrected(np.diff(edges, axis=1), slopes.astype("float64"), changes[: len(g)])
    mean = np.matmul(weights.astype("float32")[:, :, None], g)[:, :, 0]
    return mean.reshape(len(g), n, m, -1).transpose(1, 0, 2, 3)


def _edges(coarse: np.ndarray, count: int) -> np.ndarray:
    """``(lines, 5, n_outputs)`` outputs at even places, as shares of their ranges, -> ``(lines, count + 1)`` edges with equal changes between."""
    changes = np.abs(np.diff(coarse, axis=1)).max(axis=2)
    share = changes / np.maximum(changes.sum(axis=1, keepdims=True), np.finfo("float64").tiny)
    share = (1.0 - _EVEN_SHARE) * share + _EVEN_SHARE / changes.shape[1]
    reached = np.concatenate([np.zeros((len(share), 1)), share.cumsum(axis=1)], axis=1)
    wanted = np.linspace(0.0, 1.0, count + 1)
    places = np.array([0.0, *_COARSE, 1.0])
    edges = np.stack([np.interp(wanted, line / line[-1], places) for line in reached])
    edges[:, 0], edges[:, -1] = 0.0, 1.0
    return edges


def _corrected(lengths: np.ndarray, slopes: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Weights ``(K, lines, count)``: lengths, or those that meet the changes exactly where they are not too far from the lengths."""
    plain = np.broadcast_to(lengths, slopes.shape)
    expected = slopes * plain
    ratio = np.divide(changes, expected, out=np.ones_like(expected), where=np.abs(expected) > 1e-12)
    sound = (ratio > 1.0 / _LARGEST_CORRECTION) & (ratio < _LARGEST_CORRECTION)
    return np.where(sound, ratio, 1.0) * plain


def background_rows(
    frame: Frame, background: np.ndarray, n_draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Rows of a background that stand for all of it: evenly spaced in the order of the model's outputs.

    Parameters
    ----------
    frame : Frame
    background : numpy.ndarray
        ``(m, p)``.
    n_draws : int
        Network evaluations a sample; a line takes ten.
    rng : numpy.random.Generator
    """
    wanted = max(1, n_draws // _EVALUATIONS)
    if len(background) <= wanted:
        return background
    if len(background) > _CANDIDATES:
        background = background[np.sort(rng.choice(len(background), _CANDIDATES, replace=False))]
    outputs = frame.outputs(frame.coordinates(background))
    if frame.own_units:
        outputs = (outputs - outputs.mean(axis=0)) / ranges_of(outputs, outputs, True)
    order = np.lexsort((outputs.max(axis=1), outputs.argmax(axis=1)))
    places = ((np.arange(wanted) + rng.random()) * len(background) / wanted).astype(int)
    return background[np.sort(order[places])]
