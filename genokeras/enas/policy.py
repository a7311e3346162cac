"""The LSTM that draws arcs (Pham et al. 2018, sections 2.2 and 2.3), in numpy, its gradients written out.

================  ============================================================  ==================
symbol            meaning                                                       shape
================  ============================================================  ==================
B                 arcs drawn at once
H                 units of the LSTM, and of its inputs
x                 input of a step                                               ``(B, H)``
h, c              output and memory of a step                                   ``(B, H)``
anchors           outputs of the second steps of the layers so far              ``(B, H)`` each
================  ============================================================  ==================

Each layer takes two steps. Behind the first one its width is drawn, from a softmax; the second one reads the embedding of
that width, and behind it each bit ``j`` of layer ``i`` is drawn with probability ``sigmoid(v tanh(W_1 a_j + W_2 h_i))``,
where ``a_j`` is anchor ``j`` (Zoph & Le 2017, section 3.3). The next layer's first step reads the mean over the anchors of
the skips drawn, and a learned start. All logits are damped: ``k tanh(logit / T)``, with temperature ``T`` and tanh constant
``k`` (Bello et al. 2017), so that no choice is given up too early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, log_expit, log_softmax

from genokeras.graph.arcs import N_WIDTHS, Arc

Parameters = dict[str, np.ndarray]
_START_SCALE = 0.1


@dataclass
class _Step:
    """What the way back needs of one LSTM step, and where its input came from."""

    x: np.ndarray
    h_before: np.ndarray
    c_before: np.ndarray
    gates: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    c: np.ndarray
    h: np.ndarray


@dataclass
class Rollout:
    """Arcs that were drawn (or given), and what the gradient needs of how.

    Attributes
    ----------
    ops : numpy.ndarray
        ``(B, L)``.
    bits : list of numpy.ndarray
        ``(B, i)`` of every layer ``i``.
    log_probability, entropy : numpy.ndarray
        ``(B,)`` of each arc; the entropy is the sum over the distributions that its tokens were drawn from.
    """

    ops: np.ndarray
    bits: list[np.ndarray]
    log_probability: np.ndarray
    entropy: np.ndarray
    steps: list[_Step] = field(default_factory=list)
    raw: list[np.ndarray] = field(default_factory=list)
    hidden: list[np.ndarray] = field(default_factory=list)

    def arcs(self) -> list[Arc]:
        """The arcs as values."""
        return [
            Arc(tuple(ops), tuple(tuple(bits[number]) for bits in self.bits))
            for number, ops in enumerate(self.ops.tolist())
        ]


class ArcPolicy:
    """A distribution over the arcs of ``n_layers`` layers, with parameters to climb.

    Parameters
    ----------
    n_layers : int
    hidden : int
        Units of the LSTM.
    temperature, tanh_constant : float
    rng : numpy.random.Generator
        For the initial parameters: uniform in +-0.1.
    """

    def __init__(
        self, n_layers: int, hidden: int, temperature: float, tanh_constant: float, rng: np.random.Generator
    ) -> None:
        self.n_layers = n_layers
        self.temperature = temperature
        self.tanh_constant = tanh_constant
        shapes = {
            "lstm": (2 * hidden, 4 * hidden),
            "lstm_bias": (4 * hidden,),
            "start": (hidden,),
            "embedding": (N_WIDTHS, hidden),
            "widths": (hidden, N_WIDTHS),
            "from": (hidden, hidden),
            "to": (hidden, hidden),
            "attention": (hidden,),
        }
        self.parameters: Parameters = {
            name: rng.uniform(-_START_SCALE, _START_SCALE, shape) for name, shape in shapes.items()
        }

    def draw(self, n: int, rng: np.random.Generator) -> Rollout:
        """``n`` arcs drawn from the distribution."""
        return self._roll(n, rng, None)

    def retrace(self, arcs: Sequence[Arc]) -> Rollout:
        """The way to arcs that are given, as though they had been drawn."""
        return self._roll(len(arcs), None, arcs)

    # ---- forwards

    def _roll(self, n: int, rng: np.random.Generator | None, arcs: Sequence[Arc] | None) -> Rollout:
        p = self.parameters
        hidden = len(p["start"])
        out = Rollout(np.empty((n, self.n_layers), dtype=int), [], np.zeros(n), np.zeros(n))
        x, h, c = np.tile(p["start"], (n, 1)), np.zeros((n, hidden)), np.zeros((n, hidden))
        anchors: list[np.ndarray] = []
        for layer in range(self.n_layers):
            h, c = self._step(out, x, h, c)
            given = None if arcs is None else np.array([arc.ops[layer] for arc in arcs])
            out.ops[:, layer] = self._width(out, h, rng, given)
            h, c = self._step(out, p["embedding"][out.ops[:, layer]], h, c)
            wanted = None if arcs is None else np.array([arc.skips[layer] for arc in arcs]).reshape(n, layer)
            bits = self._bits(out, anchors, h, rng, wanted)
            out.bits.append(bits)
            total = p["start"] + sum(bits[:, j : j + 1] * anchor for j, anchor in enumerate(anchors))
            x = np.broadcast_to(total / (1 + bits.sum(axis=1, keepdims=True)), (n, hidden))
            anchors.append(h)
        return out

    def _step(
        self, out: Rollout, x: np.ndarray, h: np.ndarray, c: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        p = self.parameters
        forget, enter, leave, new = np.split(
            np.concatenate([x, h], axis=1) @ p["lstm"] + p["lstm_bias"], 4, axis=1
        )
        gates = (expit(forget), expit(enter), expit(leave), np.tanh(new))
        after = gates[0] * c + gates[1] * gates[3]
        hidden = gates[2] * np.tanh(after)
        out.steps.append(_Step(x, h, c, gates, after, hidden))
        return hidden, after

    def _width(
        self, out: Rollout, h: np.ndarray, rng: np.random.Generator | None, given: np.ndarray | None
    ) -> np.ndarray:
        raw = h @ self.parameters["widths"]
        log_p = log_softmax(self._damped(raw), axis=1)
        chosen = given
        if chosen is None:
            assert rng is not None
            chosen = np.argmax(log_p + rng.gumbel(size=log_p.shape), axis=1)
        out.raw.append(raw)
        out.log_probability += np.take_along_axis(log_p, chosen[:, None], axis=1)[:, 0]
        out.entropy -= (np.exp(log_p) * log_p).sum(axis=1)
        return chosen

    def _bits(
        self,
        out: Rollout,
        anchors: list[np.ndarray],
        h: np.ndarray,
        rng: np.random.Generator | None,
        given: np.ndarray | None,
    ) -> np.ndarray:
        p, n = self.parameters, len(h)
        to = h @ p["to"]
        hidden = np.tanh(
            np.stack([a @ p["from"] + to for a in anchors]) if anchors else np.empty((0, *h.shape))
        )
        raw = np.moveaxis(hidden @ p["attention"], 0, 1).reshape(n, len(anchors))
        logits = self._damped(raw)
        chosen = given
        if chosen is None:
            assert rng is not None
            chosen = (rng.random(raw.shape) < expit(logits)).astype(int)
        out.hidden.append(hidden)
        out.raw.append(raw)
        signed = np.where(chosen == 1, logits, -logits)
        out.log_probability += log_expit(signed).sum(axis=1)
        out.entropy += (np.logaddexp(0, logits) - logits * expit(logits)).sum(axis=1)
        return chosen

    def _damped(self, raw: np.ndarray) -> np.ndarray:
        return self.tanh_constant * np.tanh(raw / self.temperature)

    # ---- backwards

    def gradients(self, rollout: Rollout, weights: np.ndarray, entropy_weight: float) -> Parameters:
        """Gradients of ``sum_b weights_b log p_b + entropy_weight entropy_b``, to climb along.

        Parameters
        ----------
        rollout : Rollout
            Of the parameters as they are.
        weights : numpy.ndarray
            ``(B,)`` what each arc is worth beyond what was expected.
        entropy_weight : float
        """
        p = self.parameters
        found = {name: np.zeros_like(array) for name, array in p.items()}
        outputs = [step.h for step in rollout.steps]
        d_h = [np.zeros_like(h) for h in outputs]
        d_h_next, d_c = np.zeros_like(outputs[0]), np.zeros_like(outputs[0])
        for layer in reversed(range(self.n_layers)):
            first, second = 2 * layer, 2 * layer + 1
            self._bits_back(rollout, layer, weights, entropy_weight, d_h, found)
            d_x, d_h_next, d_c = self._step_back(rollout.steps[second], d_h[second] + d_h_next, d_c, found)
            np.add.at(found["embedding"], rollout.ops[:, layer], d_x)
            d_raw = self._width_back(rollout.raw[first], rollout.ops[:, layer], weights, entropy_weight)
            found["widths"] += outputs[first].T @ d_raw
            d_h[first] += d_raw @ p["widths"].T
            d_x, d_h_next, d_c = self._step_back(rollout.steps[first], d_h[first] + d_h_next, d_c, found)
            bits = rollout.bits[layer - 1] if layer else np.empty((len(d_x), 0))
            d_x = d_x / (1 + bits.sum(axis=1, keepdims=True))
            found["start"] += d_x.sum(axis=0)
            for j in range(bits.shape[1]):
                d_h[2 * j + 1] += bits[:, j : j + 1] * d_x
        return found

    def _width_back(
        self, raw: np.ndarray, chosen: np.ndarray, weights: np.ndarray, entropy_weight: float
    ) -> np.ndarray:
        log_p = log_softmax(self._damped(raw), axis=1)
        p = np.exp(log_p)
        entropy = -(p * log_p).sum(axis=1, keepdims=True)
        d = weights[:, None] * (np.eye(raw.shape[1])[chosen] - p) - entropy_weight * p * (log_p + entropy)
        return d * self._damped_slope(raw)

    def _bits_back(
        self,
        rollout: Rollout,
        layer: int,
        weights: np.ndarray,
        entropy_weight: float,
        d_h: list[np.ndarray],
        found: Parameters,
    ) -> None:
        p, raw, hidden = self.parameters, rollout.raw[2 * layer + 1], rollout.hidden[layer]
        logits = self._damped(raw)
        chance = expit(logits)
        d = weights[:, None] * (rollout.bits[layer] - chance)
        d = (d - entropy_weight * logits * chance * (1 - chance)) * self._damped_slope(raw)
        for j in range(layer):
            found["attention"] += d[:, j] @ hidden[j]
            d_before = d[:, j : j + 1] * p["attention"] * (1 - hidden[j] ** 2)
            anchor, here = 2 * j + 1, 2 * layer + 1
            found["from"] += rollout.steps[anchor].h.T @ d_before
            found["to"] += rollout.steps[here].h.T @ d_before
            d_h[anchor] += d_before @ p["from"].T
            d_h[here] += d_before @ p["to"].T

    def _step_back(
        self, step: _Step, d_h: np.ndarray, d_c: np.ndarray, found: Parameters
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        forget, enter, leave, new = step.gates
        squashed = np.tanh(step.c)
        d_c = d_c + d_h * leave * (1 - squashed**2)
        d_gates = np.concatenate(
            [
                d_c * step.c_before * forget * (1 - forget),
                d_c * new * enter * (1 - enter),
                d_h * squashed * leave * (1 - leave),
                d_c * enter * (1 - new**2),
            ],
            axis=1,
        )
        found["lstm"] += np.concatenate([step.x, step.h_before], axis=1).T @ d_gates
        found["lstm_bias"] += d_gates.sum(axis=0)
        d_x, d_h_before = np.split(d_gates @ self.parameters["lstm"].T, 2, axis=1)
        return d_x, d_h_before, d_c * forget

    def _damped_slope(self, raw: np.ndarray) -> np.ndarray:
        return self.tanh_constant / self.temperature * (1 - np.tanh(raw / self.temperature) ** 2)
