"""Every format that TensorFlow writes answers as the model does, by name, for any number of rows."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ExportError, ParameterError
from genokeras.exports import export_model_as, format_problem
from tests.exports.exported_models import OUTPUTS, ensemble, expression, two_input_rows, two_inputs

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
ABLE = ("keras", "tf_saved_model", "onnx", "litert")


@pytest.fixture(scope="module")
def small() -> Any:
    return two_inputs()


@pytest.fixture(scope="module")
def delivered() -> Any:
    return ensemble()


def need(format: str) -> None:
    if "not installed" in (format_problem(format) or ""):
        pytest.skip(f"what {format} needs is not installed")


def test_a_saved_model_answers_through_its_serving_signature(small: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    done = export_model_as(small, tmp_path / "served", output_names=["p", "sum"])
    serving = tf.saved_model.load(str(tmp_path / "served")).signatures["serving_default"]
    rows = two_input_rows()
    found = serving(**{name: tf.constant(values) for name, values in rows.items()})
    assert done.inputs == ("genes", "image") and done.outputs == ("p", "sum")
    np.testing.assert_allclose(found["p"].numpy(), small.predict_on_batch(rows)[0], atol=1e-5)
    np.testing.assert_allclose(found["sum"].numpy(), small.predict_on_batch(rows)[1], atol=1e-5)


def test_an_onnx_file_answers_through_onnxruntime(small: Any, tmp_path: Path) -> None:
    need("onnx")
    import onnxruntime

    export_model_as(small, tmp_path / "small.onnx", input_names=["x", "picture"])
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"))
    rows = two_input_rows()
    found = session.run(list(OUTPUTS), {"x": rows["genes"], "picture": rows["image"]})
    for got, wanted in zip(found, small.predict_on_batch(rows), strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_litert_file_answers_through_its_interpreter(small: Any, tmp_path: Path) -> None:
    import tensorflow as tf

    export_model_as(small, tmp_path / "small.tflite")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's interpreter is moving to a package of its own
        interpreter = tf.lite.Interpreter(str(tmp_path / "small.tflite"))
    rows = two_input_rows()
    found = interpreter.get_signature_runner("serving_default")(**rows)
    for name, wanted in zip(OUTPUTS, small.predict_on_batch(rows), strict=True):
        np.testing.assert_allclose(found[name], wanted, atol=1e-5)


@pytest.mark.parametrize("format", ABLE)
def test_a_delivered_ensemble_survives_every_format(format: str, delivered: Any, tmp_path: Path) -> None:
    need(format)
    done = export_model_as(
        delivered, tmp_path / "model", format, examples=expression(), output_names="probabilities"
    )
    assert done.largest_difference < 1e-5
    assert done.inputs == ("features",) and done.outputs == ("probabilities",)
    assert done.path.exists() and list(tmp_path.iterdir()) == [done.path]


def test_a_delivered_ensemble_needs_nothing_beyond_litert_itself(delivered: Any, tmp_path: Path) -> None:
    export_model_as(delivered, tmp_path / "model.tflite")
    # Operations of TensorFlow's are named in the file, with this in front of each.
    assert b"Flex" not in (tmp_path / "model.tflite").read_bytes()


def test_a_model_read_from_a_file_may_use_any_name(tmp_path: Path) -> None:
    ensemble().save(tmp_path / "model.keras")
    keras.utils.clear_session()  # names are counted anew, as they are in another process
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert export_model_as(model, tmp_path / "model.tflite", examples=expression()).largest_difference < 1e-5


def test_nothing_is_printed(small: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for format in ("keras", "tf_saved_model"):
        export_model_as(small, tmp_path / format, format)
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == ""


def test_sequential_and_subclassed_models_are_exported(tmp_path: Path) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return {"twice": 2.0 * self.dense(x)}

    own = Own()
    own(np.ones((2, 3), dtype="float32"))
    sequential = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2, name="y")])
    assert export_model_as(own, tmp_path / "own").outputs == ("twice",)
    done = export_model_as(sequential, tmp_path / "sequential")
    assert (done.inputs, done.outputs) == (("x",), ("y",))


def test_whole_numbers_go_in(tmp_path: Path) -> None:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(keras.layers.Embedding(5, 3)(tokens))
    model = keras.Model(tokens, mean)
    export_model_as(model, tmp_path / "text")
    assert (tmp_path / "text" / "saved_model.pb").exists()


def test_names_that_no_signature_can_have_are_made_fit(tmp_path: Path) -> None:
    x = keras.Input((2,), name="1 gene.x")
    model = keras.Model(x, keras.layers.Dense(1, name="p-value")(x))
    done = export_model_as(model, tmp_path / "named")
    assert (done.inputs, done.outputs) == (("input_1_gene_x",), ("p_value",))


# ---- what goes wrong


def test_a_model_that_answers_by_chance_is_not_exported(tmp_path: Path) -> None:
    class Noise(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.generator = keras.random.SeedGenerator(0)

        def call(self, x: Any) -> Any:
            return x + keras.random.normal((2,), seed=self.generator)

    x = keras.Input((2,))
    export_model_as(keras.Model(x, keras.layers.Dense(1)(x)), tmp_path / "model")
    before = (tmp_path / "model" / "saved_model.pb").read_bytes()
    with pytest.raises(ExportError, match="answers otherwise than the model.*differs by"):
        export_model_as(keras.Model(x, Noise()(x)), tmp_path / "model")
    assert (tmp_path / "model" / "saved_model.pb").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_cannot_be_read_again_is_not_kept(tmp_path: Path) -> None:
    class Unknown(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x + 1.0

    x = keras.Input((2,))
    with pytest.raises(ExportError, match="cannot be exported as keras: .*Unknown"):
        export_model_as(keras.Model(x, Unknown()(x)), tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def test_a_tolerance_of_zero_refuses_rounding(delivered: Any, tmp_path: Path) -> None:
    export_model_as(delivered, tmp_path / "model", examples=expression(), tolerance=1.0)
    before = sorted(path.name for path in (tmp_path / "model").rglob("*"))
    need("onnx")
    with pytest.raises(ExportError, match="and 0 is allowed"):
        export_model_as(delivered, tmp_path / "model.onnx", examples=expression(), tolerance=0.0)
    assert sorted(path.name for path in (tmp_path / "model").rglob("*")) == before
    assert not (tmp_path / "model.onnx").exists()


def test_a_format_that_the_backend_cannot_write_is_refused(small: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="it can write keras, tf_saved_model, onnx, litert.*torch"):
        export_model_as(small, tmp_path / "model.pt")


def test_a_missing_package_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    assert "tf2onnx" in str(format_problem("onnx"))
    assert 'pip install "genokeras[export]"' in str(format_problem("onnx"))


def test_an_unbuilt_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="not built yet"):
        export_model_as(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "model.keras")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="must be a keras.Model, got str"):
        export_model_as("model", tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ({"genes": np.ones((2, 3))}, "a dict with the keys genes, image; got a dict with genes"),
        ({"genes": np.ones((2, 4)), "image": np.ones((2, 4, 2))}, r"'genes' must have the shape \(None, 3\)"),
        ({"genes": np.ones((2, 3)), "image": np.ones((3, 4, 2))}, "the same number of rows"),
    ],
)
def test_examples_that_do_not_fit_are_refused(
    small: Any, tmp_path: Path, examples: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        export_model_as(small, tmp_path / "model.keras", examples=examples)


@pytest.mark.parametrize(
    ("names", "message"), [(["a"], "expected 2, got 1"), (["a", "a"], "different"), (["a b", "c"], "'a b'")]
)
def test_output_names_that_do_not_fit_are_refused(
    small: Any, tmp_path: Path, names: list[str], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        export_model_as(small, tmp_path / "model.keras", output_names=names)
