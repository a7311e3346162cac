"""A compiled network, and the loop that trains it batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import keras
import numpy as np

from genokeras.encoders.encoder import NetworkEncoder
from genokeras.encoders.inference import Inference
from genokeras.graph import Graph, HyperParameters, Weights
from genokeras.networks import build_network, read_weights, write_weights
from genokeras.training.device_steps import (
    STEPS_OF_A_CALL,
    DeviceSteps,
    card_generation,
    device_steps,
    training_precision,
)
from genokeras.training.samples import Samples
from genokeras.training.steps import Position, settle
from genokeras.training.tunable import TunableDropout, tunable_adamw

PREDICTED_AT_ONCE = 256
# Steps between looks at the clock, on a processor.
_LOOK_EVERY = 5


@final
class Trainee:
    """A compiled network, to be trained again and again from other weights, at other rates, dropout and weight decay.

    Parameters
    ----------
    graph : Graph
    hyper : HyperParameters
        Its activation is compiled in; :meth:`use` changes all else.
    loss : keras.losses.Loss
        Of the network's outputs.
    """

    def __init__(self, graph: Graph, hyper: HyperParameters, loss: Any) -> None:
        self.graph = graph
        self._dropout: list[tuple[TunableDropout, float | None]] = []
        with training_precision():
            self.model = build_network(graph, None, hyper, logits=True, dropout=self._make_dropout)
        self.optimizer = tunable_adamw(hyper.learning_rate, hyper.weight_decay)
        self.optimizer.build(self.model.trainable_variables)
        # TensorFlow's own kernels for convolutions are faster on processors than what XLA makes, and need no compilation.
        jit: Any = False if keras.backend.backend() == "tensorflow" else "auto"
        self.model.compile(self.optimizer, loss, jit_compile=jit)
        self._answers = Inference(self.model)
        self._steps: DeviceSteps | None = None
        self.use(hyper)

    def _make_dropout(self, name: str, rate: float | None) -> TunableDropout:
        layer = TunableDropout(name)
        self._dropout.append((layer, rate))
        return layer

    def use(self, hyper: HyperParameters) -> None:
        """Train with this dropout and weight decay from now on; nothing is compiled anew."""
        self._settle()
        for layer, fixed in self._dropout:
            layer.rate.assign(hyper.dropout if fixed is None else fixed)
        self.optimizer.weight_decay.assign(hyper.weight_decay)

    def steps(self, encoder: NetworkEncoder) -> DeviceSteps:
        """What trains on rows of this encoder, or of one that differs in random changes alone."""
        if self._steps is None:
            self._steps = device_steps(self.model, encoder.read)
        return self._steps

    def restart(self, weights: Weights, member: int, seed: int) -> None:
        """Put in weights, forget the optimizer's state, and draw dropout from `seed`."""
        self._settle()
        write_weights(self.model, self.graph, weights, member=member)
        kept = (self.optimizer.learning_rate, self.optimizer.weight_decay)
        for variable in self.optimizer.variables:
            if not any(variable is other for other in kept):
                variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
        for layer, _ in self._dropout:
            state = np.array([seed % 2**31, layer_number(layer.name)], dtype="uint32")
            layer.seed_generator.state.assign(state)

    def set_rate(self, rate: float) -> None:
        """Use this learning rate from the next step on."""
        self.optimizer.learning_rate = rate

    def weights(self) -> Weights:
        """One member's weights as they are now."""
        self._settle()
        return read_weights(self.model, self.graph)

    def outputs(self, tensor: np.ndarray) -> np.ndarray:
        """``(n, n_outputs)`` float32, in blocks of one size, so that nothing is compiled anew."""
        self._settle()
        parts = []
        for start in range(0, len(tensor), PREDICTED_AT_ONCE):
            block = tensor[start : start + PREDICTED_AT_ONCE]
            short = PREDICTED_AT_ONCE - len(block)
            padded = np.concatenate([block, np.repeat(block[-1:], short, axis=0)]) if short else block
            parts.append(self._answers(padded)[: len(block)])
        return np.concatenate(parts).astype("float32")

    def _settle(self) -> None:
        if self._steps is None:
            settle(self.model)
        else:
            self._steps.settle()


def layer_number(name: str) -> int:
    """The id that a layer of ``build_network`` carries in its name."""
    return int(name.rsplit("_", 1)[-1]) if name.rsplit("_", 1)[-1].isdigit() else 0


def train_batches(
    trainee: Trainee,
    samples: Samples,
    size: int,
    stretch: int,
    seed: int,
    on_step: Callable[[Position, Callable[[], float]], bool],
    until: int | None = None,
) -> None:
    """Train a network that was restarted, batch by batch.

    Parameters
    ----------
    trainee : Trainee
    samples : Samples
    size : int
        Of a batch.
    stretch : int
        Steps of an epoch, as positions count them.
    seed : int
        Of the order of samples and their augmentation.
    on_step : callable
        ``on_step(position, loss)`` behind the first step, behind every stretch and every few steps; ``loss()`` is the mean training
        loss since the stretch began. Training ends where it returns True.
    until : int, optional
        The last step; by default `on_step` says when to end.
    """
    feed, steps = samples.batches(size, np.random.default_rng(seed)), trainee.steps(samples.encoder)
    often = _LOOK_EVERY if card_generation() is None else STEPS_OF_A_CALL
    step, stop = 0, False
    while not stop and (until is None or step < until):
        if step % stretch == 0:
            steps.begin_mean()
        # Behind the first step, which compiles, the clock begins.
        count = 1 if step == 0 else min(stretch - step % stretch, often - (step % stretch) % often)
        count = count if until is None else min(count, until - step)
        for data, picked, drawn in feed.next(count):
            steps.run(data, picked, drawn)
        step += count
        stop = on_step(Position(step, step // stretch, step % stretch), steps.mean_loss)
    steps.settle()
