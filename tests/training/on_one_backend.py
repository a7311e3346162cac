"""Run under one Keras backend by ``test_backends_agree.py``: ``python -m tests.training.on_one_backend OUT.npz``."""

from __future__ import annotations

import sys

import keras
import numpy as np

from genokeras.data import ImageData, load_images
from genokeras.encoders.image import fit_image_encoder
from genokeras.features import Augmentation, random_transforms
from genokeras.graph import ACTIVATIONS, HyperParameters, mlp, reference_forward, small_cnn
from genokeras.graph.testing import random_graph, random_weights, relative_difference
from genokeras.networks import build_packed, slot_array, start_weights
from genokeras.support.backends import current_backend
from genokeras.tasks.classes import Classes
from genokeras.training import PackedTrainer, Samples, Trainee, TrainingSettings
from genokeras.training.device_steps import JaxSteps
from genokeras.training.trainee import train_batches
from tests.backends import at_once
from tests.training.mixed_tasks import difference_from_alone
from tests.training.small_tasks import small_task


def forward_error(seed: int, activation: str) -> float:
    """How far a packed network is from what its graph means."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, seed % 5)
    weights = random_weights(graph, 7, 3, rng)
    x = rng.standard_normal((3, 9, 7)).astype("float32")
    network = build_packed(graph, 7, 3, activation)
    arrays = [x, *(np.ones((3, 9, units), dtype="float32") for _, units in network.masks)]
    params = [keras.ops.convert_to_tensor(slot_array(weights, slot)) for slot in network.slots]
    compute = at_once(lambda params, arrays: network.model.stateless_call(params, [], arrays)[0])
    logits = compute(params, [keras.ops.convert_to_tensor(a) for a in arrays])
    found = np.asarray(keras.ops.convert_to_numpy(logits))
    return relative_difference(found, reference_forward(graph, weights, x, activation))


def images(n: int) -> ImageData:
    """Images of random pixels."""
    pixels = np.random.default_rng(5).integers(0, 255, (n, 9, 7, 2)).astype("uint8")
    return load_images(pixels)


def moved_images() -> np.ndarray:
    """Images that were turned, shifted, zoomed and flipped."""
    pixels = images(6).pixels.astype("float32")
    augmentation = Augmentation(shift=0.3, rotate=40, zoom=0.3, flip_horizontal=True, flip_vertical=True)
    transforms = random_transforms(augmentation, 6, 9, 7, np.random.default_rng(1))
    return np.asarray(keras.ops.convert_to_numpy(current_backend().moved_images(pixels, transforms)))


def network_losses(as_on_card: bool = False) -> np.ndarray:
    """Mean training losses of each of three stretches of a small network, whose images are moved at random."""
    data = images(40)
    encoder, codes = fit_image_encoder(data), np.arange(40) % 2
    samples = Samples(Classes(2), encoder, encoder.rows(data), codes, np.ones(40))
    graph = small_cnn(encoder.input_shape, 2, filters=(4,), units=0, head="max")
    trainee = Trainee(
        graph, HyperParameters(0.01, 0.01, 0.0, "relu", "tensor"), Classes(2).training_loss(0.0)
    )
    trainee.restart(start_weights(graph, np.random.default_rng(0)), 0, 0)
    steps = trainee.steps(encoder)
    if as_on_card:
        assert isinstance(steps, JaxSteps)
        steps.take_together()
    losses: list[float] = []

    def note(position: object, loss: object) -> bool:
        assert callable(loss)
        losses.append(float(loss()))
        return False

    train_batches(trainee, samples, 8, 7, 0, note, until=25)
    return np.array(losses)


def main(path: str) -> None:
    """Write losses, curves and forward errors."""
    dumped: dict[str, np.ndarray] = {"backend": np.array(keras.backend.backend())}
    dumped["forward"] = np.array([forward_error(3 + i, name) for i, name in enumerate(ACTIVATIONS)])
    task = small_task(mlp(3, (8,)), (0.01, 0.03), dropout=0.25)
    still = small_task(mlp(3, (8,)), (0.0, 0.0))
    trainer = PackedTrainer(TrainingSettings(max_steps=32, chunk_steps=12, score_every=5, patience=99))
    dumped["still"] = trainer.run(still).curves[0]
    full = trainer.run(task)
    again = trainer.run(task)
    dumped["curves"], dumped["logits"] = full.curves, full.logits
    dumped["repeatable"] = np.array(np.array_equal(full.logits, again.logits))
    dumped["compilations"] = np.array(trainer.compilations)
    batched = PackedTrainer(TrainingSettings(max_steps=15, batch_size=10, patience=99)).run(task)
    dumped["batched"] = batched.curves
    dumped["mixed"] = np.array(difference_from_alone())
    dumped["moved"] = moved_images()
    dumped["network"] = network_losses()
    if keras.backend.backend() == "jax":
        dumped["network_on_card"] = network_losses(as_on_card=True)
    np.savez(path, **dumped)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])
