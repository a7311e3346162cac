"""SavedModel, ONNX and LiteRT by way of TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.exports.portable import portable
from genokeras.exports.signature import Signature

Answering = Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]
SERVING = "serving_default"


def write_saved_model(model: Any, signature: Signature, path: Path) -> None:
    """A folder for TensorFlow Serving; on JAX its functions are compiled programs."""
    if keras.backend.backend() == "jax":
        model = portable(model)
    archive = keras.export.ExportArchive()
    archive.track(model)
    specs = [keras.InputSpec(shape=port.shape, dtype=port.dtype, name=port.name) for port in signature.inputs]
    archive.add_endpoint("serve", _by_name(model, signature), input_signature=specs)
    archive.write_out(str(path), verbose=False)


def read_saved_model(path: Path, signature: Signature) -> Answering:
    """The serving signature of a SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    serving = loaded.signatures[SERVING]

    def answer(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        assert loaded is not None  # the signature alone does not keep its variables
        found = serving(**{name: tf.constant(values) for name, values in rows.items()})
        return {name: each.numpy() for name, each in found.items()}

    return answer


def write_onnx(model: Any, signature: Signature, path: Path) -> None:
    """An ONNX graph, from the traced TensorFlow function."""
    import tensorflow as tf
    import tf2onnx

    specs = [tf.TensorSpec(port.shape, port.dtype, name=port.name) for port in signature.inputs]
    function = tf.function(_by_name(model, signature), input_signature=specs, autograph=False)
    tf2onnx.convert.from_function(
        function,
        input_signature=specs,
        custom_op_handlers={"Erfc": (_without_erfc, [])},
        output_path=str(path),
    )


def write_litert(model: Any, signature: Signature, path: Path) -> None:
    """A LiteRT file; operations that LiteRT lacks are taken from TensorFlow, which its runtime has to bring then."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(portable(model), signature, Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SERVING])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        path.write_bytes(converter.convert())


def read_litert(path: Path, signature: Signature) -> Answering:
    """The serving signature of a LiteRT file, interpreted."""
    import tensorflow as tf

    # Delegates announce themselves on standard error, and are not what is checked here.
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    # The content and not the path, which is about to be renamed.
    interpreter = tf.lite.Interpreter(model_content=path.read_bytes(), experimental_op_resolver_type=plain)
    runner = interpreter.get_signature_runner(SERVING)
    return lambda rows: dict(runner(**rows))


def _by_name(model: Any, signature: Signature) -> Callable[..., dict[str, Any]]:
    def serve(*flat: Any) -> dict[str, Any]:
        return signature.by_output(model(signature.pack(flat), training=False))

    return serve


def _without_erfc(context: Any, node: Any, name: str, _: Any) -> None:
    """``erfc(x) = 1 - erf(x)``: ONNX has no ``Erfc``, which the exact GELU is made of."""
    import tf2onnx

    shapes, kinds = node.output_shapes, node.output_dtypes
    erf = context.make_node("Erf", node.input[:1], shapes=shapes, dtypes=kinds)
    kind = tf2onnx.utils.map_onnx_to_numpy_type(kinds[0])
    one = context.make_const(tf2onnx.utils.make_name("one"), np.array(1, dtype=kind))
    context.remove_node(name)
    context.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=node.output, name=name, shapes=shapes, dtypes=kinds
    )
