"""A plain ``torch.nn.Module`` and ``torch.optim`` in the place of a Keras model and its optimizer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import ParameterError

_KEYS = {"state_dict", "net"}


def is_torch_net(net: Any) -> bool:
    """Whether it is a module of PyTorch that is nothing of Keras."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(net, torch.nn.Module) and not isinstance(net, keras.Layer)


@final
class TorchNet(keras.Model):
    """A Keras model that shares the weights of a ``torch.nn.Module``; on the PyTorch backend.

    Parameters
    ----------
    module : torch.nn.Module
    """

    def __init__(self, module: Any) -> None:
        super().__init__(name="torch_net")
        self.inner = keras.layers.TorchModuleWrapper(module)
        # Running statistics, which Keras does not count among the variables; snapshots hold them.
        self.unseen = tuple(_View(f"buffer/{name}", tensor) for name, tensor in module.named_buffers())
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.inner(inputs, training=training)

    def save(self, filepath: Any, **_: Any) -> None:
        """Write the ``state_dict``, and the name of the module's class."""
        torch = import_module("torch")
        module = self.inner.module
        kind = type(module)
        held = {"state_dict": module.state_dict(), "net": f"{kind.__module__}:{kind.__qualname__}"}
        torch.save(held, os.fspath(filepath))

    def load_weights(self, filepath: Any, **_: Any) -> None:
        self.inner.module.load_state_dict(_read(filepath)["state_dict"])


def load_torch_net(path: str | os.PathLike[str]) -> Any:
    """The module of a checkpoint, where its class is known here and is made without arguments.

    Raises
    ------
    ParameterError
        If the class is unknown, or needs arguments.
    """
    held = _read(path)
    place, _, name = held["net"].partition(":")
    kind: Any = sys.modules.get(place)  # what a file names is looked up, never imported
    for part in name.split("."):
        kind = getattr(kind, part, None)
    torch = import_module("torch")
    if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module)):
        raise ParameterError(
            f"{os.fspath(path)!r} holds the weights of {held['net']!r}, a class that is not imported here: import it, or pass "
            "net=, a module of that class."
        )
    try:
        net = kind()
    except TypeError as error:
        raise ParameterError(
            f"{os.fspath(path)!r} holds the weights of {held['net']!r}, which cannot be made without arguments ({error}): pass "
            "net=, a module of that class."
        ) from error
    net.load_state_dict(held["state_dict"])
    return net


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    torch = import_module("torch")
    try:
        held = torch.load(os.fspath(path), weights_only=True)
    except Exception as error:
        raise ParameterError(f"{os.fspath(path)!r} is no checkpoint of a PyTorch net: {error}") from error
    if not isinstance(held, dict) or set(held) != _KEYS:
        raise ParameterError(f"{os.fspath(path)!r} is no checkpoint of a LightModel.")
    return held


def is_torch_optimizer(optimizer: Any) -> bool:
    """Whether it is one of ``torch.optim``."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(optimizer, torch.optim.Optimizer)


@final
class TorchOptimizer(keras.optimizers.Optimizer):
    """An optimizer of ``torch.optim``, with its schedule, behind the interface of Keras.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Of the parameters of the net that is trained.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Makes a step behind every epoch.
    """

    def __init__(self, optimizer: Any, scheduler: Any = None) -> None:
        super().__init__(learning_rate=float(optimizer.param_groups[0]["lr"]), name="torch_optimizer")
        self.inner, self._scheduler, self._epochs = optimizer, scheduler, 0

    @property
    def learning_rate(self) -> float:
        """Of the first group of parameters."""
        return float(self.inner.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        if rate != self.learning_rate:
            for group in self.inner.param_groups:
                group["lr"] = rate

    @property
    def variables(self) -> list[Any]:
        return [*super().variables, *self._state()]

    def rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0, by the scheduler; epochs in order."""
        while self._scheduler is not None and self._epochs < epoch:
            self._scheduler.step()
            self._epochs += 1
        return self.learning_rate

    def prime(self) -> None:
        """Make the state that steps make, so that it can be loaded; the weights are to be loaded behind it."""
        torch = import_module("torch")
        for group in self.inner.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        self.inner.step()
        self.inner.zero_grad()

    def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
        """Make a step by the gradients that the parameters hold."""
        self.inner.step()
        self.inner.zero_grad()
        self.iterations.assign_add(1)
        return self.iterations

    def get_config(self) -> dict[str, Any]:
        groups = [
            {name: repr(value) for name, value in group.items() if name not in ("params", "lr")}
            for group in self.inner.param_groups
        ]
        return {"name": self.name, "class": type(self.inner).__name__, "groups": groups}

    def _state(self) -> Iterator[_View]:
        torch = import_module("torch")
        number = 0
        for group in self.inner.param_groups:
            for parameter in group["params"]:
                for name, value in sorted(self.inner.state.get(parameter, {}).items()):
                    if isinstance(value, torch.Tensor):
                        yield _View(f"{name}/{number}", value)
                number += 1


@final
class _View:
    """A tensor of PyTorch as snapshots see variables."""

    def __init__(self, path: str, tensor: Any) -> None:
        self.path, self._tensor = path, tensor
        self.shape = tuple(tensor.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._tensor.detach().cpu().numpy(), dtype)

    def assign(self, value: Any) -> None:
        """Copy the values into the tensor."""
        torch = import_module("torch")
        with torch.no_grad():
            self._tensor.copy_(torch.as_tensor(np.array(value)))


def torch_summary(net: Any, input_shape: tuple[int, ...]) -> list[tuple[str, tuple[int, ...], int, int]]:
    """Layers that hold no others, in the order in which they are called, for one row of zeros.

    Returns
    -------
    list of (name, output shape, parameters, trainable parameters)
    """
    torch = import_module("torch")
    rows: list[tuple[str, tuple[int, ...], int, int]] = []

    def note(module: Any, _: Any, output: Any) -> None:
        sizes = [(p.numel(), p.requires_grad) for p in module.parameters(recurse=False)]
        shape = tuple(getattr(output, "shape", (0,)))
        name = f"{type(module).__name__}-{len(rows) + 1}"
        rows.append((name, (None, *shape[1:]), sum(n for n, _ in sizes), sum(n for n, own in sizes if own)))  # type: ignore[arg-type]

    hooks = [m.register_forward_hook(note) for m in net.modules() if not list(m.children())]
    before, parameter = net.training, next(net.parameters(), None)
    device = None if parameter is None else parameter.device
    try:
        net.eval()
        with torch.no_grad():
            net(torch.zeros((1, *input_shape), device=device))
    finally:
        net.train(before)
        for hook in hooks:
            hook.remove()
    return rows
