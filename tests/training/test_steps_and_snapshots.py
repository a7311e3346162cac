"""Training step by step, and files to resume from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError, RunFolderError
from genokeras.streams import Batches
from genokeras.training import (
    KeptVariables,
    Position,
    evaluate_batches,
    jit_compile,
    load_snapshot,
    predict_batches,
    save_snapshot,
    seeded,
    train_batch,
    train_steps,
)
from tests.keras_models.light_on_one_backend import noisy_net, small_problem

X, Y = small_problem(64)


def compiled(seed: int = 1, optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    net = noisy_net(seed)
    net.compile(
        optimizer or keras.optimizers.Adam(),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=jit_compile(),
    )
    return net


def batches() -> Batches:
    return Batches(X, Y, batch_size=20, shuffle=True, seed=2)


def test_positions_count_steps_epochs_and_batches() -> None:
    seen: list[Position] = []
    end = train_steps(compiled(), batches(), until=6, on_step=lambda at, logs: seen.append(at))
    assert seen == [
        Position(1, 0, 1), Position(2, 0, 2), Position(3, 0, 3), Position(4, 1, 0), Position(5, 1, 1), Position(6, 1, 2)
    ]  # fmt: skip
    assert end == seen[-1]


def test_one_batch_trains_as_kerass_own_function_does_and_its_logs_are_its_own() -> None:
    model, other = compiled(), compiled()
    for first in (0, 20, 40):
        batch = X[first : first + 20], Y[first : first + 20], None
        logs = train_batch(model, batch)
        other.reset_metrics()  # which older Keras lets run on
        expected = other.train_on_batch(*batch[:2], return_dict=True)
        assert logs == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-5)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_kept_variables_are_put_back() -> None:
    model = compiled()
    before = model.get_weights()
    kept = KeptVariables(model.variables)
    train_batch(model, (X, Y, None))
    assert not np.array_equal(model.get_weights()[0], before[0])
    kept.put_back()
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_seeding_keras_leaves_numpys_own_random_numbers_alone() -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    with seeded(1):
        np.random.random(3)
    assert np.random.random() == expected


def test_training_stops_when_asked_to() -> None:
    end = train_steps(compiled(), batches(), until=None, on_step=lambda at, logs: at.step == 3)
    assert end == Position(3, 0, 3)


def test_only_the_steps_asked_for_are_reported_and_ends_of_epochs() -> None:
    seen: list[int] = []
    train_steps(
        compiled(),
        batches(),
        until=8,
        on_step=lambda at, logs: seen.append(at.step),
        when=lambda at: at.step == 3,
    )
    assert seen == [3, 4, 8]


def adam() -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(gradient_accumulation_steps=3)


def loss_scale() -> keras.optimizers.Optimizer:
    return keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, momentum=0.9), dynamic_growth_steps=2
    )


# Step 4 ends an epoch, steps 3 and 6 are inside of one; steps 4 and 3 are also inside of what each optimizer counts together.
@pytest.mark.parametrize(("optimizer", "stops"), [(adam, (4, 6)), (loss_scale, (3,))])
def test_a_snapshot_goes_on_as_if_nothing_had_happened(
    stops: tuple[int, ...], optimizer: Any, tmp_path: Path
) -> None:
    logs: list[dict[str, float]] = []
    whole = compiled(1, optimizer())
    train_steps(whole, batches(), until=9, on_step=lambda at, found: logs.append(found))
    part, position = compiled(1, optimizer()), Position()
    for stop in stops:
        position = train_steps(part, batches(), until=stop, position=position)
        save_snapshot(tmp_path / str(stop), part, position, {"a": [stop]})
    other = compiled(2, optimizer())
    for stop in stops:
        position, extra = load_snapshot(tmp_path / str(stop), other, batches().first())
        again: list[dict[str, float]] = []
        train_steps(
            other, batches(), until=9, position=position, on_step=lambda at, found, to=again: to.append(found)
        )
        assert extra == {"a": [stop]}
        assert again == logs[stop:]
        pairs = zip(whole.get_weights(), other.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_evaluation_and_prediction_agree_with_those_of_keras() -> None:
    net, data = compiled(), Batches(X, Y, batch_size=20)
    expected = net.evaluate(X, Y, batch_size=20, verbose=0, return_dict=True)
    assert evaluate_batches(net, data) == pytest.approx(expected, rel=1e-5)
    outputs, targets = predict_batches(net, data)
    np.testing.assert_allclose(outputs, net.predict(X, verbose=0), atol=1e-6)
    np.testing.assert_array_equal(targets, Y)


def test_a_snapshot_of_another_model_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    save_snapshot(tmp_path / "s", compiled(), Position(), {})
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.compile("adam", "mse")
    with pytest.raises(ParameterError, match="variables"):
        load_snapshot(tmp_path / "s", other)


def test_a_snapshot_says_that_other_layers_were_trainable_and_what_to_do(tmp_path: Path) -> None:
    frozen, thawed = compiled(), compiled()
    frozen.layers[0].trainable = False
    frozen.compile("adam", "mse")
    thawed.compile("adam", "mse")
    frozen.optimizer.build(frozen.trainable_variables)
    save_snapshot(tmp_path / "s", frozen, Position(), {})
    with pytest.raises(
        ParameterError,
        match="an optimizer of .* variables, but this one has .*other layers were trainable: .*remove the file",
    ):
        load_snapshot(tmp_path / "s", thawed)


def test_a_damaged_snapshot_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"PK no")
    with pytest.raises(RunFolderError, match="damaged"):
        load_snapshot(tmp_path / "s", compiled())


def test_a_model_that_is_not_compiled_is_refused() -> None:
    with pytest.raises(ParameterError, match="not compiled"):
        train_steps(noisy_net(), batches(), until=1)
