"""Natural gradient of Dense layers with Kronecker-factored curvature (Martens & Grosse 2015, arXiv:1503.05671).

================  ============================================================  ==========================
symbol            meaning                                                       shape
================  ============================================================  ==========================
a                 what a layer reads, with a 1 appended for the bias            ``(M, rows, in + 1)``
g                 gradient of a row's loss by the layer's pre-activation        ``(M, rows, out)``
A, G              running means of ``a a^T`` and ``g g^T``                      ``(M, in + 1, in + 1)``, ``(M, out, out)``
W                 kernel with the bias as its last row                          ``(M, in + 1, out)``
pi                how the damping is shared by the two factors                  ``(M, 1, 1)``
================  ============================================================  ==========================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from keras import ops

from genokeras.errors import ParameterError
from genokeras.training.optimizers.update import (
    Factors,
    Tensors,
    Update,
    need_fractions,
    need_positive,
    zeros_like,
)

_TINY = 1e-30


@final
@dataclass(frozen=True)
class KfacUpdate(Update):
    """Preconditions the gradient of every Dense layer by the inverse of its block of the Fisher matrix, ``A x G``.

    - Running averages: ``A_k = e A_(k-1) + (1 - e) E[a a^T]`` with ``e = min(1 - 1/k, averaging)`` (section 5).
    - Factored Tikhonov damping: ``A + pi sqrt(damping) I`` and ``G + sqrt(damping) / pi I``, where ``pi^2`` is the mean
      eigenvalue of A divided by that of G (section 6.3). With weight decay decoupled, the damping holds no L2 term.
    - The step of all of a member's layers together is scaled down where its predicted KL divergence, ``1/2 s^T F s``,
      would exceed ``kl_limit`` (trust region of Wu et al. 2017, arXiv:1708.05144, section 3).
    - Momentum as in stochastic gradient descent, after that.

    What the Fisher matrix is taken of is up to whoever makes the :class:`Factors`: with labels sampled from the
    predictions (see :func:`dense_factors`) it is the true one, with the labels of the data the empirical one.

    Parameters
    ----------
    damping : float
        lambda in section 6; above 0.
    averaging : float
        The most that stays of the running averages from step to step.
    kl_limit : float
        ``float("inf")`` for steps of full size.
    momentum : float

    Notes
    -----
    The weights must come as ``kernel (M, in, out)``, ``bias (M, 1, out)``, layer by layer, as those of a packed network
    do. A step solves two linear systems for each layer and member, of sizes ``in + 1`` and ``out``.
    """

    damping: float = 1e-3
    averaging: float = 0.95
    kl_limit: float = 1e-3
    momentum: float = 0.9
    needs_factors: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need_positive(self, ["damping"] if self.kl_limit == float("inf") else ["damping", "kl_limit"])
        need_fractions(self, ["averaging", "momentum"])

    def initial_state(self, params: Tensors) -> list[Tensors]:
        """For each layer: A, G, and the velocities of kernel and bias.

        Raises
        ------
        ParameterError
            If the weights are not the kernels and biases of Dense layers.
        """
        _need_dense_layers(params)
        state = []
        for kernel, bias in _pairs(params):
            members, inputs, units = kernel.shape
            factors = [ops.zeros((members, size, size)) for size in (inputs + 1, units)]
            state.append([*factors, *zeros_like(kernel, 1), *zeros_like(bias, 1)])
        return state

    def step(
        self,
        params: Tensors,
        gradients: Tensors,
        state: list[Tensors],
        at: Any,
        rates: Tensors,
        decays: Tensors,
        factors: Factors | None = None,
    ) -> tuple[Tensors, list[Tensors]]:
        if factors is None:
            raise ParameterError(
                "KfacUpdate.step needs factors: the inputs of the Dense layers and the gradients by their "
                "pre-activations, as dense_factors computes them."
            )
        averages = self._averages(state, at, factors)
        directions: Tensors = []
        for pair, (a, g) in zip(_pairs(gradients), averages, strict=True):
            natural = self._precondition(ops.concatenate(pair, axis=1), a, g)
            directions += [natural[:, :-1], natural[:, -1:]]
        share = self._share(directions, gradients, rates)
        old = [velocity for layer in state for velocity in layer[2:]]
        new = [
            self.momentum * velocity - rate * share * direction
            for velocity, rate, direction in zip(old, rates, directions, strict=True)
        ]
        moved = [(1 - d) * w + v for w, d, v in zip(params, decays, new, strict=True)]
        return moved, [[*kept, *pair] for kept, pair in zip(averages, _pairs(new), strict=True)]

    def _averages(self, state: list[Tensors], at: Any, factors: Factors) -> list[Tensors]:
        keep = ops.minimum(1 - 1 / at, self.averaging)
        averages = []
        for (old_a, old_g, *_), inputs, gradients in zip(
            state, factors.inputs, factors.gradients, strict=True
        ):
            new_a = _second_moment(_with_one(inputs), factors.row_weights)
            new_g = _second_moment(gradients, factors.row_weights)
            averages.append([keep * old_a + (1 - keep) * new_a, keep * old_g + (1 - keep) * new_g])
        return averages

    def _precondition(self, gradient: Any, a: Any, g: Any) -> Any:
        """``(A + pi sqrt(damping) I)^-1 dW (G + sqrt(damping) / pi I)^-1`` (eq. in section 6.3)."""
        a, g = _safe(a), _safe(g)
        pi, root = _pi(a, g), self.damping**0.5
        left = ops.solve(a + pi * root * ops.eye(a.shape[-1]), gradient)
        right = ops.solve(g + root / pi * ops.eye(g.shape[-1]), ops.transpose(left, (0, 2, 1)))
        return ops.transpose(right, (0, 2, 1))

    def _share(self, directions: Tensors, gradients: Tensors, rates: Tensors) -> Any:
        """How much of its step each member may take, ``(M, 1, 1)``: ``F direction = gradient``, so F is not needed."""
        products = [
            ops.sum(rate * rate * direction * gradient, axis=(1, 2), keepdims=True)
            for rate, direction, gradient in zip(rates, directions, gradients, strict=True)
        ]
        twice = ops.maximum(sum(products[1:], products[0]), _TINY)
        return ops.minimum(1.0, ops.sqrt(2 * self.kl_limit / twice))


def _pairs(tensors: Tensors) -> list[tuple[Any, Any]]:
    return list(zip(tensors[::2], tensors[1::2], strict=True))


def _need_dense_layers(params: Tensors) -> None:
    shapes = [tuple(weight.shape) for weight in params]
    for kernel, bias in zip(shapes[::2], [*shapes[1::2], ()], strict=False):
        if len(kernel) != 3 or bias != (kernel[0], 1, kernel[2]):
            raise ParameterError(
                "kfac knows Dense layers only: expected kernel (members, in, out) and bias (members, 1, out) in turn, "
                f"got weights of shapes {kernel} and {bias or 'none'}. Choose another optimiser for this network."
            )


def _with_one(inputs: Any) -> Any:
    return ops.concatenate([inputs, ops.ones_like(inputs[:, :, :1])], axis=-1)


def _second_moment(rows: Any, weights: Any) -> Any:
    """Mean of ``r r^T`` over the rows ``(M, rows, d)``, as the weights ``(M, rows)`` count them."""
    shares = weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), _TINY)
    return ops.matmul(ops.transpose(rows, (0, 2, 1)), shares[:, :, None] * rows)


def _safe(factor: Any) -> Any:
    """The identity in place of a member's factor that is not finite.

    TensorFlow and PyTorch refuse such a system, and one member that diverged would end the run of all. Its own gradient
    is not finite either and carries the news.
    """
    finite = ops.isfinite(ops.sum(factor, axis=(1, 2), keepdims=True))
    return ops.where(finite, factor, ops.eye(factor.shape[-1]))


def _pi(a: Any, g: Any) -> Any:
    """``(M, 1, 1)``; 1 where a factor is zero, as that of a layer which nothing reads."""
    a, g = (ops.trace(factor, axis1=1, axis2=2)[:, None, None] / factor.shape[-1] for factor in (a, g))
    both = ops.logical_and(a > 0, g > 0)
    one = ops.ones_like(g)
    return ops.sqrt(ops.where(both, a, one) / ops.where(both, g, one))
