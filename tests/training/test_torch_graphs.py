"""Graphs as modules of PyTorch, against what graphs are defined to compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genokeras.graph import (
    Graph,
    HyperParameters,
    dilated_cnn,
    feature_mlp,
    motif_cnn,
    reference_forward,
    residual_cnn,
    rfcn_densenet,
    small_cnn,
    text_attention,
)
from genokeras.training.torch_graph import torch_module

torch: Any = pytest.importorskip("torch")
ROWS = 3


@pytest.mark.parametrize(
    "graph",
    [
        feature_mlp((30,), 3, (8,)),
        rfcn_densenet(2, 8, 2, "tanh"),
        small_cnn((8, 8, 3), 4),
        residual_cnn((9, 8, 1), 4),
        motif_cnn((40, 4), 2),
        dilated_cnn((64, 4), 2),
        text_attention((12,), 3, 50),
    ],
    ids=["flat", "densenet", "small", "residual", "motifs", "dilated", "text"],
)
def test_a_module_computes_what_the_graph_does(graph: Graph) -> None:
    units = None if graph.input_shape is not None else 7
    module = torch_module(graph, HyperParameters(), units, seed=0).eval()
    rng = np.random.default_rng(1)
    named = {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        for parameter in module.parameters():  # biases too
            parameter.copy_(torch.as_tensor(rng.normal(size=parameter.shape) * 0.3))
    weights: dict[int, dict[str, Any]] = {}
    for key in named:
        id, name = key.removeprefix("layer").split("_", 1)
        weights.setdefault(int(id), {})[name] = module.state_dict()[key].numpy()[None]
    shape = (ROWS, *(graph.input_shape or (7,)))
    x = rng.integers(0, 50, shape) if "embedding" in str(graph.layers).lower() else rng.normal(size=shape)
    expected = reference_forward(graph, weights, x, "relu")[0]
    with torch.no_grad():
        found = module(torch.as_tensor(x.astype("float32" if x.dtype.kind == "f" else "int64")))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)


def test_a_module_is_trained_by_torch_alone_with_one_hot_labels() -> None:
    module = torch_module(small_cnn((8, 8, 1), 2), HyperParameters(dropout=0.0), seed=0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 8, 8, 1, generator=generator)
    y = torch.nn.functional.one_hot((x.mean(dim=(1, 2, 3)) > 0).long(), 2).float()
    optimizer, losses = torch.optim.Adam(module.parameters(), 0.01), []
    for _ in range(15):
        loss = torch.nn.functional.cross_entropy(module(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
