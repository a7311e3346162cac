"""Whether a training that is to be resumed is the one that was stopped: the same net, loss, settings and data."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.checksums import checksum, own_code, settings, versions
from genokeras.keras_models.epochs import EpochPlan
from genokeras.keras_models.recipe import Recipe
from genokeras.keras_models.wrapped_net import inner_layers
from genokeras.streams import Batches
from genokeras.support.wording import listed
from genokeras.training import TorchNet

_VERSIONS = "versions"
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def described_net(net: keras.Model, rows: Batches) -> dict[str, str]:
    """Layers, shapes and what is trained of them.

    Parameters
    ----------
    net : keras.Model
        Is built with the first batch, where it is not.
    rows : Batches
    """
    if not net.built:
        net(rows.first()[0])
    layers = ", ".join(type(layer).__name__ for layer in net.layers)
    trained = {id(variable) for variable in net.trainable_variables}
    which = [id(variable) in trained for variable in net.variables]
    return {
        "net": f"{layers}; {', '.join(str(tuple(variable.shape)) for variable in net.variables)}",
        "trainable": f"{sum(which)} of {len(which)} variables ({checksum(which)})",
    }


def described_data(train: Batches, valid: Batches | None) -> dict[str, str]:
    """Shapes, numbers and values of the data."""
    values = {"values of train": train.checksum()}
    if valid is not None:
        values["values of valid"] = valid.checksum()
    return {
        "train": train.fingerprint(),
        "valid": "none" if valid is None else valid.fingerprint(),
        **values,
    }


def details(net: keras.Model, recipe: Recipe, step: Callable[..., Any] | None = None) -> dict[str, str]:
    """Checksums of what a training is made of, as far as it is not said in words.

    Parameters
    ----------
    net : keras.Model
        Built.
    recipe : Recipe
    step : callable, optional
        What is computed in each step in place of a loss.
    """
    schedule = recipe.schedule if callable(recipe.schedule) else None
    found = {
        _VERSIONS: versions(),
        "the code of the net": checksum(own_code(type(net))),
        "the connections of the net": checksum(_connections(net)),
        "the settings of the loss": checksum(keras.tree.flatten(recipe.loss)),
        "the settings of the metrics": checksum(recipe.metrics, [one.function for one in recipe.row_metrics]),
        "the code of the schedule": checksum(getattr(schedule, "__func__", schedule)),
    }
    if step is not None:
        found["the code of shared_step"] = checksum(getattr(step, "__func__", step))
    if isinstance(net, TorchNet):
        module = net.inner.module
        kinds = {type(one).__qualname__: own_code(type(one)) for one in module.modules()}
        return found | {"the modules of the net": checksum(_ADDRESS.sub("", repr(module)), kinds)}
    for number, layer in enumerate(inner_layers(net), start=1):
        found[f"the settings of layer {number} ({type(layer).__name__})"] = checksum(layer)
    return found


def _connections(net: keras.Model) -> Any:
    """Which layer reads what, by numbers in place of names."""
    if isinstance(net, keras.Sequential) or not hasattr(net, "operations"):
        return None
    numbers = {operation.name: number for number, operation in enumerate(net.operations)}
    layers = (settings(net) or {}).get("layers", ())
    return [_numbered(layer.get("inbound_nodes"), numbers) for layer in layers]


def _numbered(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, dict):
        return {
            key: [numbers.get(part[0], 0), *part[1:]] if key == "keras_history" else _numbered(part, numbers)
            for key, part in value.items()
        }
    return [_numbered(part, numbers) for part in value] if isinstance(value, list | tuple) else value


def check_same(extra: dict[str, Any], plan: EpochPlan) -> None:
    """Refuse to continue what was trained on other data or with other settings.

    Parameters
    ----------
    extra : dict
        Of the snapshot. What an earlier version did not write counts as the same.
    plan : EpochPlan

    Raises
    ------
    ParameterError
    """
    there: dict[str, str] = extra["settings"]
    words = [
        f"{name}: {there[name]} there, {value} now"
        for name, value in plan.settings.items()
        if there.get(name, value) != value
    ]
    known: dict[str, str] = extra.get("details", {})
    if known.get(_VERSIONS) == plan.details.get(_VERSIONS):
        words += [name for name, value in plan.details.items() if known.get(name, value) != value]
    if words:
        raise ParameterError(
            f"{str(plan.snapshot)!r} belongs to a training with other settings or data ({listed(words, 4)}). Pass resume=False "
            "to begin again and overwrite it, or another ckpt_path."
        )
