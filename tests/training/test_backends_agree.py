"""TensorFlow, JAX and PyTorch train alike: each in a process of its own, because Keras settles on one when imported."""

from __future__ import annotations

import numpy as np
import pytest

from tests.processes import BACKENDS, dumped_by

Dumps = dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Dumps:
    """What ``on_one_backend.py`` wrote, on every backend that is installed."""
    return dumped_by("tests.training.on_one_backend", tmp_path_factory.mktemp("backends"))


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, dumps: Dumps) -> str:
    """Each backend in turn; skipped where it is not installed."""
    name = str(request.param)
    if name not in dumps:
        pytest.skip(f"{name} is not installed")
    assert dumps[name]["backend"] == name
    return name


def reference(dumps: Dumps) -> dict[str, np.ndarray]:
    return next(iter(dumps.values()))


def test_networks_compute_what_their_graphs_mean(dumps: Dumps, backend: str) -> None:
    assert dumps[backend]["forward"].max() < 1e-5


def test_the_same_weights_and_rows_have_the_same_losses(dumps: Dumps, backend: str) -> None:
    np.testing.assert_allclose(dumps[backend]["still"], reference(dumps)["still"], rtol=1e-6)


def test_training_takes_nearly_the_same_way(dumps: Dumps, backend: str) -> None:
    np.testing.assert_allclose(dumps[backend]["curves"], reference(dumps)["curves"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(dumps[backend]["logits"], reference(dumps)["logits"], atol=1e-2)


def test_mini_batches_take_nearly_the_same_way(dumps: Dumps, backend: str) -> None:
    np.testing.assert_allclose(dumps[backend]["batched"], reference(dumps)["batched"], rtol=1e-3, atol=1e-4)


def test_the_same_seed_gives_the_same_logits_bit_for_bit(dumps: Dumps, backend: str) -> None:
    assert dumps[backend]["repeatable"]


def test_tasks_of_one_shape_compile_once(dumps: Dumps, backend: str) -> None:
    assert dumps[backend]["compilations"] == 1


def test_packs_of_different_graphs_train_as_each_graph_alone(dumps: Dumps, backend: str) -> None:
    assert dumps[backend]["mixed"] < 1e-5


def test_images_are_moved_alike(dumps: Dumps, backend: str) -> None:
    np.testing.assert_allclose(dumps[backend]["moved"], reference(dumps)["moved"], atol=0.02)


def test_a_network_takes_nearly_the_same_way(dumps: Dumps, backend: str) -> None:
    np.testing.assert_allclose(dumps[backend]["network"], reference(dumps)["network"], rtol=1e-3)


def test_a_program_of_many_steps_as_on_graphics_cards_trains_as_single_steps(dumps: Dumps) -> None:
    if "jax" not in dumps:
        pytest.skip("jax is not installed")
    np.testing.assert_allclose(dumps["jax"]["network_on_card"], dumps["jax"]["network"], rtol=1e-5)
