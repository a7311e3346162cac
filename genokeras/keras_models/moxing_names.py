"""Names of MoXing: sizes, modes, formats, what an export is called, and optimizers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, final

import keras

from genokeras.errors import ParameterError
from genokeras.training import get_optimizer


@final
class ModelSize(StrEnum):
    """How large a model is, for the range tests of :func:`genokeras.search`.

    Examples
    --------
    >>> ModelSize.LARGE == "large"
    True
    """

    SMALL = "small"
    LARGE = "large"


@final
class ModeKeys(StrEnum):
    """What :func:`genokeras.run` does.

    Examples
    --------
    >>> ModeKeys.EVAL == "evaluate"
    True
    """

    TRAIN = "train"
    EVAL = "evaluate"
    PREDICT = "predict"


@final
class ExportKeys(StrEnum):
    """What :func:`genokeras.run` exports.

    Examples
    --------
    >>> ExportKeys.TF_SERVING == "tf_serving"
    True
    """

    TF_SERVING = "tf_serving"
    TF_SAVED_MODEL = "tf_saved_model"
    KERAS = "keras"
    ONNX = "onnx"
    LITERT = "litert"
    TORCHSCRIPT = "torchscript"


@final
@dataclass(frozen=True, eq=False)
class ExportSpec:
    """What the inputs and outputs of an export are called, and in which folder it is.

    Parameters
    ----------
    inputs_dict, outputs_dict : mapping of str to keras.KerasTensor
        A name for each input and each output of the model.
    version : int or str
        Folder below ``export`` where the format is "tf_serving". TensorFlow Serving looks for whole numbers.

    Raises
    ------
    ParameterError
        If a dict is empty, or the version cannot be a folder.

    Examples
    --------
    >>> x = keras.Input((4,))
    >>> y = keras.layers.Dense(2)(x)
    >>> spec = ExportSpec(inputs_dict={"images": x}, outputs_dict={"logits": y}, version=1)
    >>> spec.names_in(keras.Model(x, y))
    (('images',), ('logits',))
    """

    inputs_dict: Mapping[str, Any]
    outputs_dict: Mapping[str, Any]
    version: int | str = 1

    def __post_init__(self) -> None:
        for name in ("inputs_dict", "outputs_dict"):
            if not isinstance(getattr(self, name), Mapping) or not getattr(self, name):
                raise ParameterError(
                    f"ExportSpec.{name} must be a dict of names and tensors, got {getattr(self, name)!r}."
                )
        text = str(self.version)
        if isinstance(self.version, bool) or (not text.isidentifier() and not text.isdigit()):
            raise ParameterError(
                f"ExportSpec.version must be a whole number, or the name of a folder, got {self.version!r}."
            )

    def names_in(self, model: keras.Model) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the model's inputs and outputs, in its own order.

        Raises
        ------
        ParameterError
            If one has no name here.
        """
        return (
            _named("inputs_dict", self.inputs_dict, model, "inputs"),
            _named("outputs_dict", self.outputs_dict, model, "outputs"),
        )


def _named(argument: str, given: Mapping[str, Any], model: keras.Model, kind: str) -> tuple[str, ...]:
    tensors = getattr(model, kind, None)
    if not tensors:
        raise ParameterError(
            f"ExportSpec needs a model that knows its {kind}, made of keras.Input: {model.name!r} does not."
        )
    names = [next((name for name, own in given.items() if own is tensor), None) for tensor in tensors]
    if None in names or len(given) != len(names):
        raise ParameterError(
            f"ExportSpec.{argument} must name each of the {len(names)} {kind} of the model {model.name!r}, by the tensor itself; "
            f"got {', '.join(map(repr, given))}."
        )
    return tuple(str(name) for name in names)


def get_optimizer_fn(
    name: str, learning_rate: float = 0.001, **options: Any
) -> Callable[[], keras.optimizers.Optimizer]:
    """A function that makes an optimizer.

    Parameters
    ----------
    name : str
        "momentum", "sgd", "adam" and whatever else projects take, in any case.
    learning_rate : float
    **options
        Arguments of the optimizer, such as ``momentum``.

    Raises
    ------
    ParameterError
        If the name or an option is unknown.

    Examples
    --------
    >>> optimizer = get_optimizer_fn(name="momentum", learning_rate=0.1, momentum=0.95)()
    >>> optimizer.momentum
    0.95
    """
    made = get_optimizer(name.lower(), learning_rate=learning_rate, **options)  # a mistake is said at once
    return lambda: type(made).from_config(made.get_config())
