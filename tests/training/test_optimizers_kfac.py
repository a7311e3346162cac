"""K-FAC is the textbook's natural gradient, for each member, and its factors are those of the Fisher matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.graph import linear, mlp
from genokeras.networks import build_packed
from genokeras.support.backends import current_backend
from genokeras.training.optimizers import (
    Factors,
    Update,
    dense_factors,
    get_update,
    sampled_classes,
    sampled_values,
    uniform_draws,
)
from genokeras.training.optimizers.kfac import KfacUpdate
from tests.training.optimizer_loop import (
    badly_scaled,
    cross_entropy,
    half_squares,
    numpy,
    started,
    tensor,
    trained,
)

INF = float("inf")


def once(
    update: Update,
    params: list[Any],
    gradients: list[Any],
    factors: Factors | None,
    rate: Any,
    decay: float = 0.0,
) -> list[np.ndarray]:
    """The weights after the first step."""
    rates = [tensor(np.broadcast_to(rate, len(params[0]))[:, None, None])] * len(params)
    decays = [decay * one for one in rates]
    state = update.initial_state(params)
    moved, _ = update.step(params, gradients, state, tensor(1), rates, decays, factors)
    return [numpy(weight) for weight in moved]


# ---- by hand

MEMBERS, ROWS, INPUTS, HIDDEN, CLASSES = 2, 12, 3, 4, 3


class ByHand:
    """A network of two layers, ``tanh`` between, in float64: its gradients and factors by the chain rule."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.x = rng.standard_normal((MEMBERS, ROWS, INPUTS))
        self.weights = [
            rng.standard_normal(shape)
            for shape in [
                (MEMBERS, INPUTS, HIDDEN),
                (MEMBERS, 1, HIDDEN),
                (MEMBERS, HIDDEN, CLASSES),
                (MEMBERS, 1, CLASSES),
            ]
        ]
        self.row_weights = rng.dirichlet(np.ones(ROWS), MEMBERS)
        self.labels, self.sampled = (np.eye(CLASSES)[rng.integers(0, CLASSES, ROWS)] for _ in range(2))
        k1, b1, k2, b2 = self.weights
        self.hidden = np.tanh(self.x @ k1 + b1)
        self.logits = self.hidden @ k2 + b2

    def by_pre_activations(self, labels: np.ndarray) -> list[np.ndarray]:
        """``(M, rows, units)`` of both layers, of each row's own loss."""
        exponents = np.exp(self.logits - self.logits.max(axis=-1, keepdims=True))
        last = exponents / exponents.sum(axis=-1, keepdims=True) - labels
        return [last @ self.weights[2].transpose(0, 2, 1) * (1 - self.hidden**2), last]

    def read(self) -> list[np.ndarray]:
        return [self.x, self.hidden]

    def gradients(self) -> list[np.ndarray]:
        """Of the weighted loss of the data's labels, in the order of the weights."""
        found = []
        for a, g in zip(self.read(), self.by_pre_activations(self.labels), strict=True):
            weighted = self.row_weights[:, :, None] * g
            found += [a.transpose(0, 2, 1) @ weighted, weighted.sum(axis=1, keepdims=True)]
        return found

    def factors(self) -> Factors:
        read, by = self.read(), self.by_pre_activations(self.sampled)
        return Factors([tensor(a) for a in read], [tensor(g) for g in by], tensor(self.row_weights))

    def textbook(self, damping: float) -> list[np.ndarray]:
        """``(A x G)^-1 vec(dW)`` with the Kronecker product written out, in the order of the weights."""
        found, gradients = [np.empty_like(weight) for weight in self.weights], self.gradients()
        for layer, (a, g) in enumerate(zip(self.read(), self.by_pre_activations(self.sampled), strict=True)):
            kernel, bias = gradients[2 * layer : 2 * layer + 2]
            for m in range(MEMBERS):
                rows = np.hstack([a[m], np.ones((ROWS, 1))])
                first = rows.T @ np.diag(self.row_weights[m]) @ rows
                second = g[m].T @ np.diag(self.row_weights[m]) @ g[m]
                pi = np.sqrt((np.trace(first) / len(first)) / (np.trace(second) / len(second)))
                first += pi * np.sqrt(damping) * np.eye(len(first))
                second += np.sqrt(damping) / pi * np.eye(len(second))
                both = np.vstack([kernel[m], bias[m]])
                natural = np.linalg.solve(np.kron(first, second), both.ravel()).reshape(both.shape)
                found[2 * layer][m], found[2 * layer + 1][m] = natural[:-1], natural[-1:]
        return found


def steps_by_hand(by_hand: ByHand, update: KfacUpdate, rate: Any = 1.0) -> list[np.ndarray]:
    params = [tensor(weight) for weight in by_hand.weights]
    gradients = [tensor(gradient) for gradient in by_hand.gradients()]
    moved = once(update, params, gradients, by_hand.factors(), rate)
    return [new - old for new, old in zip(moved, by_hand.weights, strict=True)]


@pytest.mark.parametrize("damping", [0.01, 1.0])
def test_a_step_is_the_inverse_of_the_damped_kronecker_products_times_the_gradient(damping: float) -> None:
    by_hand = ByHand(0)
    found = steps_by_hand(by_hand, KfacUpdate(damping=damping, kl_limit=INF))
    for step, expected in zip(found, by_hand.textbook(damping), strict=True):
        np.testing.assert_allclose(step, -expected, rtol=1e-4, atol=1e-4)


def test_the_predicted_divergence_of_each_members_step_is_at_most_the_limit() -> None:
    by_hand, limit = ByHand(1), 1e-3
    rates = np.array([1.0, 1e-3])
    found = steps_by_hand(by_hand, KfacUpdate(damping=0.1, kl_limit=limit), rates)
    free = [rates[:, None, None] * natural for natural in by_hand.textbook(0.1)]
    inner = sum(
        (rates[:, None, None] * s * g).sum(axis=(1, 2))
        for s, g in zip(free, by_hand.gradients(), strict=True)
    )
    share = np.minimum(1, np.sqrt(2 * limit / inner))
    assert share[0] < 0.5 and share[1] == 1
    for step, whole in zip(found, free, strict=True):
        np.testing.assert_allclose(step, -share[:, None, None] * whole, rtol=1e-4, atol=1e-6)


def test_factors_are_running_averages_that_the_first_step_fills() -> None:
    by_hand, update = ByHand(2), KfacUpdate(averaging=0.75)
    params = [tensor(weight) for weight in by_hand.weights]
    gradients = [tensor(gradient) for gradient in by_hand.gradients()]
    state, still = update.initial_state(params), [tensor(np.zeros((MEMBERS, 1, 1)))] * 4
    factors = by_hand.factors()
    seen: list[np.ndarray] = []
    for at in range(1, 7):
        scaled = Factors(factors.inputs, [at**0.5 * g for g in factors.gradients], factors.row_weights)
        _, state = update.step(params, gradients, state, tensor(at), still, still, scaled)
        seen.append(numpy(state[0][1]))
    # The moment of step k is k times that of the first; a plain mean of four at first, then three parts of four stay.
    expected = [1, 1.5, 2, 2.5]
    expected += [0.75 * 2.5 + 0.25 * 5, 0.75 * (0.75 * 2.5 + 0.25 * 5) + 0.25 * 6]
    for found, times in zip(seen, expected, strict=True):
        np.testing.assert_allclose(found, times * seen[0], rtol=1e-4)


def test_weights_decay_apart_from_the_natural_gradient() -> None:
    by_hand = ByHand(3)
    params = [tensor(weight) for weight in by_hand.weights]
    still = [tensor(np.zeros_like(weight)) for weight in by_hand.weights]
    moved = once(KfacUpdate(), params, still, by_hand.factors(), 0.5, decay=0.2)
    for weight, old in zip(moved, by_hand.weights, strict=True):
        np.testing.assert_allclose(weight, 0.9 * old, rtol=1e-6)


# ---- on a quadratic


def test_one_undamped_step_reaches_the_minimum_of_a_linear_regression() -> None:
    rng = np.random.default_rng(4)
    members, rows, outputs = 2, 40, 4
    a = rng.standard_normal((members, rows, 5)) * np.logspace(-0.5, 0.5, 5) + 1.0
    y = rng.standard_normal((members, rows, outputs))
    weights = [rng.standard_normal((members, 5, outputs)), rng.standard_normal((members, 1, outputs))]
    error = (a @ weights[0] + weights[1] - y) / rows
    gradients = [a.transpose(0, 2, 1) @ error, error.sum(axis=1, keepdims=True)]
    # Rows whose second moment is the identity: the curvature of half the squared error by the outputs.
    unit = np.sqrt(outputs) * np.tile(np.eye(outputs), (members, rows // outputs, 1))
    factors = Factors([tensor(a)], [tensor(unit)], tensor(np.full((members, rows), 1 / rows)))
    update = KfacUpdate(damping=1e-14, kl_limit=INF)
    kernel, bias = once(update, [tensor(w) for w in weights], [tensor(g) for g in gradients], factors, 1.0)
    for m in range(members):
        homogeneous = np.hstack([a[m], np.ones((rows, 1))])
        best = np.linalg.lstsq(homogeneous, y[m], rcond=None)[0]
        np.testing.assert_allclose(np.vstack([kernel[m], bias[m]]), best, atol=1e-3)


# ---- factors of a network


def test_factors_of_a_network_are_what_the_chain_rule_says() -> None:
    by_hand = ByHand(5)
    graph = mlp(CLASSES, (HIDDEN,), normalise=False, linear_path=False)
    network = build_packed(graph, INPUTS, MEMBERS, "tanh", probes=True)
    assert [name for _, name in network.slots] == ["kernel", "bias"] * 2
    factors = dense_factors(
        current_backend(),
        network,
        [tensor(weight) for weight in by_hand.weights],
        [tensor(by_hand.x), *[tensor(np.ones((1, 1, 1))) for _ in network.masks]],
        tensor(by_hand.row_weights),
        lambda logits: tensor(by_hand.sampled)[None],
        cross_entropy,
    )
    for found, expected in zip(factors.inputs, by_hand.read(), strict=True):
        np.testing.assert_allclose(numpy(found), expected, atol=1e-5)
    for found, expected in zip(factors.gradients, by_hand.by_pre_activations(by_hand.sampled), strict=True):
        np.testing.assert_allclose(numpy(found), expected, atol=1e-5)


def test_a_network_without_probes_is_refused() -> None:
    network, params = started(linear(2), 3, 1, probes=False)
    x, weights = tensor(np.ones((1, 4, 3))), tensor(np.ones((1, 4)))
    with pytest.raises(ParameterError, match="needs a network with probes"):
        dense_factors(current_backend(), network, params, [x], weights, lambda o: o, cross_entropy)


def test_draws_are_uniform_and_free_of_each_other() -> None:
    draws = np.stack([numpy(uniform_draws(tensor(at), 40, 3)) for at in range(1, 201)])
    assert draws.min() >= 0 and draws.max() < 1
    np.testing.assert_allclose(np.histogram(draws, 10, (0, 1))[0] / draws.size, 0.1, atol=0.01)
    correlations = np.corrcoef(draws.reshape(200, -1), rowvar=False) - np.eye(120)
    assert np.abs(correlations).max() < 0.35
    assert abs(correlations.mean()) < 0.002


def test_classes_are_drawn_as_often_as_the_softmax_says() -> None:
    shares = np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])
    logits = np.log(shares)[:, None] + np.zeros((2, 400, 1))
    drawn = np.mean([numpy(sampled_classes(tensor(logits), tensor(at))) for at in (1, 2, 3)], axis=(0, 2))
    np.testing.assert_allclose(drawn, shares, atol=0.03)


def test_every_draw_is_one_class_even_where_one_class_is_all_there_is() -> None:
    logits = np.full((1, 500, 3), -1e4)
    logits[:, :, 2] = 0
    drawn = numpy(sampled_classes(tensor(logits), tensor(1)))
    np.testing.assert_array_equal(drawn, np.tile([0.0, 0.0, 1.0], (1, 500, 1)))


def test_values_are_drawn_with_the_variance_asked_for_and_without_covariance() -> None:
    outputs = tensor(np.ones((1, 30, 2)))
    drawn = np.stack([numpy(sampled_values(outputs, tensor(at), 0.5))[0] for at in range(1, 101)])
    deviations = (drawn - 1).reshape(-1, 2)
    np.testing.assert_allclose(deviations.T @ deviations / len(deviations), 0.5 * np.eye(2), atol=0.02)


# ---- in training


def test_kfac_is_faster_than_gradient_descent_at_its_best_rate_on_a_badly_scaled_problem() -> None:
    x, targets = badly_scaled()
    graph = mlp(3, (16,), linear_path=False)
    common = (x, targets, graph, cross_entropy, sampled_classes, 30)
    descent = trained(get_update("sgd"), [0.01, 0.1, 1.0], *common)
    natural = trained(get_update("kfac"), [0.01, 0.1, 1.0], *common)
    assert np.nanmin(natural) < 0.5 * np.nanmin(descent)


def test_kfac_on_a_network_solves_a_linear_regression_at_once() -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((50, 6)) * np.logspace(-1, 1, 6)
    y = x @ rng.standard_normal((6, 1)) + 3.0
    update = KfacUpdate(damping=1e-10, kl_limit=INF, momentum=0.0)
    common = (x, y, linear(1), half_squares, sampled_values, 1)
    assert trained(update, [1.0, 0.0], *common)[0] < 1e-4 * (y**2).mean()


def test_members_know_nothing_of_each_other() -> None:
    x, targets = badly_scaled()
    common = (x, targets, mlp(3, (5,)), cross_entropy, sampled_classes, 4)
    together = trained(get_update("kfac"), [0.05, 0.5], *common)
    alone = [trained(get_update("kfac"), [rate], *common)[0] for rate in (0.05, 0.5)]
    np.testing.assert_allclose(together, alone, rtol=1e-3)


def test_a_member_that_is_not_finite_leaves_the_others_alone() -> None:
    by_hand = ByHand(8)
    expected = steps_by_hand(by_hand, KfacUpdate())
    by_hand.x[0, 0, 0] = np.nan
    by_hand.hidden[0] = np.nan
    by_hand.logits[0] = np.nan
    found = steps_by_hand(by_hand, KfacUpdate())
    for step, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(step[1], other[1], rtol=1e-5, atol=1e-7)
        assert np.isnan(step[0]).all()


def test_a_layer_that_nothing_reads_keeps_its_weights_finite() -> None:
    by_hand = ByHand(9)
    by_hand.weights[2][:] = 0
    for step in steps_by_hand(by_hand, KfacUpdate()):
        assert np.isfinite(step).all()


# ---- refusals


def test_a_step_without_factors_is_refused() -> None:
    params = [tensor(weight) for weight in ByHand(0).weights]
    with pytest.raises(ParameterError, match="KfacUpdate.step needs factors"):
        once(KfacUpdate(), params, params, None, 1.0)


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3, 4)],
        [(2, 3, 4), (2, 1, 5)],
        [(2, 3, 4), (2, 3, 4)],
        [(2, 3, 3, 4), (2, 1, 4)],
        [(2, 3, 4), (2, 4)],
    ],
)
def test_weights_other_than_of_dense_layers_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ParameterError, match="kfac knows Dense layers only: expected kernel"):
        KfacUpdate().initial_state([tensor(np.zeros(shape)) for shape in shapes])
