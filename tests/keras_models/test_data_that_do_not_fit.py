"""What a LightModel says of data that do not fit its net or its loss."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError, TrainingError
from genokeras.keras_models import LightModel

X = np.random.default_rng(0).standard_normal((120, 10)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
LABELS = np.arange(120) % 5


def net(outputs: int = 1) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(outputs, "sigmoid" if outputs == 1 else "softmax", name="out"),
        ]
    )


def light(loss: Any = "binary_crossentropy", outputs: int = 1) -> LightModel:
    model = LightModel(net(outputs))
    model.compile("adam", loss)
    return model


def fit(model: LightModel, train: Any, folder: Path, **options: Any) -> Any:
    options = {"epochs": 1, "monitor": "loss", "plot": False, "verbose": 0, **options}
    return model.fit(train, ckpt_path=folder / "best.keras", **options)


def in_batches(*parts: Any) -> Iterator[Any]:
    for start in range(0, 120, 30):
        yield (
            tuple(part[start : start + 30] for part in parts)
            if len(parts) > 1
            else parts[0][start : start + 30]
        )


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (X, r"an array of shape \(120, 10\)"),
        ([X, Y], "a list of 2 arrays, which are all taken for inputs"),
        ({"x": X, "y": Y}, "a dict of 'x', 'y'"),
        ((X, None), "a tuple whose second part is None"),
        (lambda: in_batches(X), r"batches of x alone, of shape \(30, 10\)"),
    ],
)
def test_targets_that_were_forgotten_are_named(data: Any, got: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^train has no targets: pass \(x, y\) as a tuple, got {got}"):
        fit(light(), data, tmp_path)
    with pytest.raises(DataError, match=rf"^valid has no targets: .* got {got}"):
        fit(light(), (X, Y), tmp_path, valid=data)
    with pytest.raises(DataError, match=rf"^data has no targets: .* got {got}"):
        light().evaluate(data)


def test_a_net_with_a_step_of_its_own_trains_without_targets(tmp_path: Path) -> None:
    class Autoencoder(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.layers.Dense(10)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

        def compute_loss(
            self,
            x: Any = None,
            y: Any = None,
            y_pred: Any = None,
            sample_weight: Any = None,
            training: bool = True,
        ) -> Any:
            return keras.ops.mean(keras.ops.square(keras.ops.subtract(x, y_pred)))

    model = LightModel(Autoencoder())
    model.compile(keras.optimizers.Adam(0.01), "mse")
    history = fit(model, X, tmp_path, epochs=4)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


def test_a_net_that_cannot_be_saved_is_refused_before_it_trains(tmp_path: Path) -> None:
    class Own(keras.Model):
        def __init__(self, parts: list[Any]) -> None:
            super().__init__()
            self.parts = parts

        def call(self, inputs: Any) -> Any:
            return self.parts[0](inputs)

    model = LightModel(Own([keras.layers.Dense(1)]))
    model.compile("adam", "mse")
    with pytest.raises(
        ParameterError, match=r"the net 'own\w*' cannot be saved, .* Keras says: .*get_config"
    ):
        fit(model, (X, Y), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            (X[:, :5], Y),
            r"the net reads rows of shape \(10,\), but x has rows of shape \(5,\): pass x of shape \(n_samples, 10\), or build",
        ),
        (([X, X], Y), r"the net reads 1 input \(.*\), but x holds 2 arrays"),
        (
            (X, np.c_[Y, Y]),
            r"y has rows of shape \(2,\), but the net gives rows of shape \(1,\): give the last layer",
        ),
        ((X, {"q": Y}), r"the net has 1 output \(out\), but y holds 'q': pass y as an array, or name"),
        ((X, [Y, Y]), "y holds 2 arrays: pass y as one array"),
        (
            (X, LABELS[:, None]),
            "y holds numbers from 0 to 4, but the loss 'binary_crossentropy' needs them from 0 to 1",
        ),
    ],
)
def test_data_of_another_shape_are_named(data: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"^train: .*{message}"):
        fit(light(), data, tmp_path)
    with pytest.raises(DataError, match=f"^valid: .*{message}"):
        fit(light(), (X, Y), tmp_path, valid=data)
    with pytest.raises(DataError, match=f"^data: .*{message}"):
        light().evaluate(data)


def test_a_valid_stream_of_another_shape_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^valid: the net reads rows of shape \(10,\)"):
        fit(light(), (X, Y), tmp_path, valid=lambda: in_batches(X[:, :5], Y))


def test_rows_of_another_shape_cannot_be_predicted() -> None:
    with pytest.raises(
        DataError, match=r"^x: the net reads rows of shape \(10,\), but x has rows of shape \(3,\)"
    ):
        light().predict(X[:, :3])


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        (
            keras.losses.SparseCategoricalCrossentropy(),
            LABELS,
            "holds labels from 0 to 4, but the net has 3 outputs, for labels from 0 to 2: give the last layer",
        ),
        ("sparse_categorical_crossentropy", LABELS[:, None] - 4, "holds labels from -4 to 0"),
        ("sparse_categorical_crossentropy", np.eye(3)[LABELS % 3], "pass loss='categorical_crossentropy'"),
        ("categorical_crossentropy", LABELS % 3, "pass loss='sparse_categorical_crossentropy'"),
        (keras.losses.categorical_crossentropy, LABELS % 3, "pass loss='sparse_categorical_crossentropy'"),
    ],
)
def test_labels_that_the_loss_does_not_take_are_named(loss: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^data: y .*{message}"):
        light(loss, outputs=3).evaluate((X, y))


@pytest.mark.parametrize(
    ("loss", "outputs", "y"),
    [
        ("binary_crossentropy", 1, Y[:, 0]),
        ("mse", 1, Y[:, 0]),
        ("sparse_categorical_crossentropy", 3, LABELS[:, None] % 3),
        ("crossentropy", 3, LABELS % 3),
        (keras.losses.SparseCategoricalCrossentropy(ignore_class=255), 3, np.where(LABELS > 2, 255, LABELS)),
        (lambda true, found: keras.ops.mean(found[:, 0] * true[:, 1]), 1, np.c_[Y, Y]),
    ],
)
def test_targets_that_keras_takes_are_taken(loss: Any, outputs: int, y: Any) -> None:
    assert np.isfinite(light(loss, outputs).evaluate((X, y))["loss"])


def two_inputs() -> keras.Model:
    inputs = {name: keras.Input((size,), name=name) for name, size in (("genes", 10), ("age", 1))}
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.concatenate(list(inputs.values()))))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            {"gene": X, "age": Y},
            "reads the inputs age, genes, but x holds gene, age, and no 'genes'. Did you mean 'gene'",
        ),
        (
            {"genes": X[:, :4], "age": Y},
            r"reads rows of shape \(10,\), but x of the input 'genes' has rows of shape \(4,\)",
        ),
    ],
)
def test_the_input_that_does_not_fit_is_named(x: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        LightModel(two_inputs()).predict(x)


def test_inputs_by_name_are_read_in_any_order() -> None:
    model = LightModel(two_inputs())
    found = model.predict({"age": Y, "genes": X})
    np.testing.assert_allclose(found, model.predict({"genes": X, "age": Y}), atol=1e-6)


def test_nan_in_the_data_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="NaN in the data"):
        fit(light(), (np.where(X > 2, np.nan, X), Y), tmp_path)


def test_nan_in_a_later_batch_is_an_error_that_says_so(tmp_path: Path) -> None:
    late = X.copy()
    late[100:] = np.nan
    with pytest.raises(TrainingError, match="in epoch 1.*NaN in the data"):
        fit(light(), lambda: in_batches(late, Y), tmp_path)


def test_what_a_backend_cannot_compute_is_an_error_with_its_cause(tmp_path: Path) -> None:
    def picky(true: Any, found: Any) -> Any:
        raise RuntimeError("the card is on fire\nand more")

    with pytest.raises(
        TrainingError, match="first batch of train cannot be computed.*the card is on fire\\. Look"
    ):
        fit(light(picky), (X, Y), tmp_path)


def for_ever() -> Iterator[Any]:
    return itertools.repeat((X[:1], Y[:1]))


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self) -> None:
        return None

    def __getitem__(self, index: int) -> Any:
        return X[:1], Y[:1]


def repeating() -> Any:
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices((X, Y)).batch(30).repeat()


@pytest.mark.parametrize("endless", [repeating, Endless])
def test_data_without_an_end_are_refused(endless: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train never ends, .* leave out .repeat"):
        fit(light(), endless(), tmp_path)
    with pytest.raises(DataError, match="data never ends"):
        light().evaluate(endless())
    with pytest.raises(DataError, match="x never ends"):
        light().predict(endless())


@pytest.mark.slow
def test_a_long_epoch_of_unknown_length_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="genokeras"):
        fit(light(), lambda: itertools.islice(for_ever(), 14_000), tmp_path)
    found = [record.getMessage() for record in caplog.records if "goes on" in record.getMessage()]
    assert len(found) == 1 and "it ends where train ends" in found[0]


@pytest.mark.parametrize("kind", [str, object])
def test_inputs_of_text_are_refused_where_the_net_reads_numbers(kind: Any, tmp_path: Path) -> None:
    text = X.astype(str).astype(kind)
    message = r"the net reads numbers, but x holds text \('.*', '.*'\.\.\.\): pass numbers"
    with pytest.raises(DataError, match=f"^train: {message}"):
        fit(light(), (text, Y), tmp_path)
    with pytest.raises(DataError, match=f"^data: {message}"):
        light().evaluate((text, Y))
    with pytest.raises(DataError, match=f"^x: {message}"):
        light().predict(text)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow computes with text")
@pytest.mark.parametrize("kind", [str, object])
def test_a_net_that_reads_text_is_given_text(kind: Any, tmp_path: Path) -> None:
    words = np.array(["a", "b", "c"] * 40)[:, None].astype(kind)
    inputs = keras.Input((1,), dtype="string")
    coded = keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot")(inputs)
    model = LightModel(keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(coded)))
    model.compile("adam", "binary_crossentropy")
    assert len(fit(model, (words, Y), tmp_path)) == 1
