"""TorchScript and ONNX by way of PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.exports.signature import Signature
from genokeras.exports.tensorflow_side import Answering

_OPSET = 17
_TRACED_ROWS = 2


def write_torchscript(model: Any, signature: Signature, path: Path, rows: list[np.ndarray]) -> None:
    """A traced module: inputs by position, in the order of the signature; outputs by name, in a dict."""
    import torch

    with torch.no_grad():
        traced = torch.jit.trace(
            _module(model, signature, by_name=True),
            _tensors(signature, rows),
            strict=False,
            check_trace=False,
        )
        torch.jit.freeze(traced).save(str(path))


def read_torchscript(path: Path, signature: Signature) -> Answering:
    """A traced module, on the processor."""
    import torch

    loaded = torch.jit.load(str(path), map_location="cpu")

    def answer(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        with torch.no_grad():
            found = loaded(*(torch.as_tensor(rows[port.name]) for port in signature.inputs))
        return {name: each.cpu().numpy() for name, each in found.items()}

    return answer


def write_onnx(model: Any, signature: Signature, path: Path, rows: list[np.ndarray]) -> None:
    """An ONNX graph, from the traced module."""
    import torch

    names = [port.name for port in signature.inputs]
    free = {
        port.name: {
            i: "batch" if i == 0 else f"{port.name}_{i}" for i, size in enumerate(port.shape) if size is None
        }
        for port in signature.inputs
    }
    if signature.inputs[0].shape[0] is None:
        free |= {name: {0: "batch"} for name in signature.outputs}
    with torch.no_grad(), _symbolics():
        # The newer converter fixes the sizes that Keras computes with, the number of rows among them.
        torch.onnx.export(
            _module(model, signature, by_name=False),
            _tensors(signature, rows),
            str(path),
            input_names=names,
            output_names=list(signature.outputs),
            dynamic_axes=free,
            opset_version=_OPSET,
            dynamo=False,
            verbose=False,
        )


@contextlib.contextmanager
def _symbolics() -> Iterator[None]:
    """Operations that ONNX has and PyTorch's older converter does not know, or not for any number of rows."""
    import torch

    def constant(graph: Any, value: float | list[int]) -> Any:
        return graph.op("Constant", value_t=torch.tensor(value))

    @torch.onnx.symbolic_helper.parse_args("v", "v", "v", "v", "f", "i")
    def layer_norm(graph: Any, x: Any, shape: Any, weight: Any, bias: Any, epsilon: float, _: int) -> Any:
        # Over as many last axes as `shape` has sizes, whatever these are: Keras reads them from the rows.
        axes = list(range(-len(list(shape.node().inputs())), 0))
        centred = graph.op("Sub", x, graph.op("ReduceMean", x, axes_i=axes))
        variance = graph.op("ReduceMean", graph.op("Mul", centred, centred), axes_i=axes)
        normed = graph.op(
            "Div", centred, graph.op("Sqrt", graph.op("Add", variance, constant(graph, epsilon)))
        )
        scaled = normed if weight.node().mustBeNone() else graph.op("Mul", normed, weight)
        return scaled if bias.node().mustBeNone() else graph.op("Add", scaled, bias)

    def asinh(graph: Any, x: Any) -> Any:
        return graph.op("Asinh", x)

    def ravel(graph: Any, x: Any) -> Any:
        return graph.op("Reshape", x, constant(graph, [-1]))

    symbolics: dict[str, Callable[..., Any]] = {
        "aten::asinh": asinh,
        "aten::layer_norm": layer_norm,
        "aten::ravel": ravel,
    }
    for name, symbolic in symbolics.items():
        torch.onnx.register_custom_op_symbolic(name, symbolic, _OPSET)
    try:
        yield
    finally:
        for name in symbolics:
            torch.onnx.unregister_custom_op_symbolic(name, _OPSET)


def _tensors(signature: Signature, rows: list[np.ndarray]) -> tuple[Any, ...]:
    size = signature.inputs[0].shape[0] or _TRACED_ROWS
    return tuple(keras.ops.convert_to_tensor(np.resize(each, (size, *each.shape[1:]))) for each in rows)


def _module(model: Any, signature: Signature, *, by_name: bool) -> Any:
    import torch

    class Serving(torch.nn.Module):
        """A model behind its signature."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *flat: Any) -> Any:
            found = signature.by_output(self.model(signature.pack(flat), training=False))
            return found if by_name else tuple(found.values())

    return Serving().eval()
