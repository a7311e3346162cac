"""Which trainings are taken for the same one, so that one goes on where the other stopped."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.keras_models import LightModel
from genokeras.keras_models.checksums import checksum
from genokeras.keras_models.recipe import make_recipe
from genokeras.keras_models.same_training import described_net, details
from genokeras.streams import Batches
from genokeras.support.files import read_arrays, write_arrays

L = keras.layers
X = np.random.default_rng(0).standard_normal((40, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def net(activation: Any = "relu", **options: Any) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), L.Dense(3, activation, **options), L.Dense(1, "sigmoid")])


def branched(limit: float, other: bool = False) -> keras.Model:
    inputs = keras.Input((4,))
    one, two = L.Dense(3)(inputs), L.Dense(3)(inputs)
    both = keras.ops.where(one > limit, *((two, one) if other else (one, two)))
    return keras.Model(inputs, L.Dense(1, "sigmoid")(both))


def halved(factor: float) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), L.Lambda(lambda x: x * factor), L.Dense(1)])


class Own(keras.Model):
    """Built by its first call; its constructor says how wide it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden, self.out = L.Dense(width), L.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(inputs))


def of_net(made: keras.Model) -> dict[str, str]:
    return {**described_net(made, Batches(X, Y)), **details(made, make_recipe("adam", "mse", None, None, 1))}


def of_recipe(loss: Any = "mse", metrics: Any = None, schedule: Any = None) -> dict[str, str]:
    return details(net(), make_recipe("adam", loss, metrics, schedule, 1))


def decaying(rate: float) -> Callable[[int], float]:
    return lambda epoch: rate / (epoch + 1)


def weighted(true: Any, found: Any, factor: float) -> Any:
    return factor * keras.ops.mean((true - found) ** 2)


class Weighted:
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, true: Any, found: Any) -> Any:
        return weighted(true, found, self.factor)


MAKERS: list[Callable[[], dict[str, str]]] = [
    lambda: of_net(net()),
    lambda: of_net(net("tanh")),
    lambda: of_net(net(lambda x: x * 2)),
    lambda: of_net(net(lambda x: x * 3)),
    lambda: of_net(net(kernel_regularizer="l2")),
    lambda: of_net(net(kernel_regularizer=keras.regularizers.L2(0.5))),
    lambda: of_net(net(trainable=False)),
    lambda: of_net(branched(0.0)),
    lambda: of_net(branched(1.0)),
    lambda: of_net(branched(0.0, other=True)),
    lambda: of_net(halved(0.5)),
    lambda: of_net(halved(0.25)),
    lambda: of_net(Own(3)),
    lambda: of_recipe(keras.losses.Huber(1.0)),
    lambda: of_recipe(keras.losses.Huber(0.01)),
    lambda: of_recipe(keras.losses.BinaryCrossentropy()),
    lambda: of_recipe(keras.losses.BinaryCrossentropy(label_smoothing=0.1)),
    lambda: of_recipe(lambda true, found: true - found),
    lambda: of_recipe(lambda true, found: found - true),
    lambda: of_recipe(partial(weighted, factor=1.0)),
    lambda: of_recipe(partial(weighted, factor=2.0)),
    lambda: of_recipe(Weighted(1.0)),
    lambda: of_recipe(Weighted(2.0)),
    lambda: of_recipe(Weighted(2.0).__call__),
    lambda: of_recipe(metrics=[keras.metrics.AUC(name="auc")]),
    lambda: of_recipe(metrics=[keras.metrics.AUC(name="auc", curve="PR")]),
    lambda: of_recipe(metrics={"it": lambda true, found: 1.0}),
    lambda: of_recipe(metrics={"it": lambda true, found: 2.0}),
    lambda: of_recipe(schedule=decaying(0.1)),
    lambda: of_recipe(schedule=decaying(0.2)),
]


def test_all_that_differs_is_seen_and_what_is_made_again_is_the_same() -> None:
    first, second = ([maker() for maker in MAKERS] for _ in range(2))
    assert first == second
    for one, other in itertools.combinations(range(len(MAKERS)), 2):
        assert first[one] != first[other], (one, other)


def test_what_a_function_counts_in_does_not_count() -> None:
    def counting(asked: list[int]) -> Callable[[int], float]:
        return lambda epoch: asked.append(epoch) or 0.1  # type: ignore[func-returns-value]

    assert checksum(counting([])) == checksum(counting([1, 2]))


def fitted(folder: Path, made: keras.Model, loss: Any = "mse", train: Any = (X, Y), **options: Any) -> Any:
    model = LightModel(made)
    model.compile("adam", loss)
    options = {"epochs": 2, "plot": False, "verbose": 0, "monitor": "loss", **options}
    return model.fit(train, ckpt_path=folder / "best.keras", **options)


def test_a_finished_training_is_not_taken_for_one_of_another_net_loss_or_labels(tmp_path: Path) -> None:
    long = np.tile(X, (40, 1)), np.tile(Y, (40, 1))
    fitted(tmp_path, net(), train=long, epochs=1)
    relabelled = long[1].copy()
    relabelled[1] = 1 - relabelled[1]
    with pytest.raises(
        ParameterError, match=r"settings of layer 1 \(Dense\)\). Pass resume=False.*ckpt_path"
    ):
        fitted(tmp_path, net("tanh"), train=long, epochs=1)
    with pytest.raises(ParameterError, match="the settings of the loss"):
        fitted(tmp_path, net(), lambda true, found: found - true, train=long, epochs=1)
    with pytest.raises(ParameterError, match="values of train: .* there, .* now"):
        fitted(tmp_path, net(), train=(long[0], relabelled), epochs=1)
    with pytest.raises(ParameterError, match=r"trainable: 4 of 4 variables .* there, 2 of 4 variables"):
        fitted(tmp_path, net(trainable=False), train=long, epochs=1)
    assert len(fitted(tmp_path, net(), train=long, epochs=2)) == 2


def test_a_stream_that_begins_alike_is_known_by_its_first_batch(tmp_path: Path) -> None:
    fitted(tmp_path, net(), train=lambda: iter([(X, Y)]))
    with pytest.raises(ParameterError, match="values of train"):
        fitted(tmp_path, net(), train=lambda: iter([(X, 1 - Y)]))
    assert len(fitted(tmp_path, net(), train=lambda: iter([(X, Y)]), epochs=3)) == 3


def test_a_stream_that_is_shuffled_anew_goes_on(tmp_path: Path) -> None:
    orders = np.random.default_rng(1)

    def shuffled() -> Any:
        order = orders.permutation(40)
        return iter([(X[order], Y[order])])

    fitted(tmp_path, net(), train=shuffled)
    assert len(fitted(tmp_path, net(), train=shuffled, epochs=3)) == 3


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    arrays = read_arrays(path)
    head = json.loads(arrays["head"].tobytes())
    change(head["extra"])
    write_arrays(path, {**arrays, "head": np.frombuffer(json.dumps(head).encode(), "uint8")})


def test_files_of_earlier_versions_without_checksums_go_on(tmp_path: Path) -> None:
    def older(extra: dict[str, Any]) -> None:
        del extra["details"], extra["settings"]["trainable"], extra["settings"]["values of train"]

    fitted(tmp_path, net())
    rewritten(tmp_path / "best.keras.resume", older)
    assert len(fitted(tmp_path, net(), epochs=3)) == 3


def test_checksums_of_another_version_of_keras_are_not_compared(tmp_path: Path) -> None:
    def other(extra: dict[str, Any]) -> None:
        extra["details"] = {**dict.fromkeys(extra["details"], "other"), "versions": "Keras 3.0.0, Python 3.9"}

    fitted(tmp_path, net())
    rewritten(tmp_path / "best.keras.resume", other)
    assert len(fitted(tmp_path, net(), epochs=3)) == 3
