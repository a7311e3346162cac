"""The types of single values in a project's configuration, with the messages that are ours."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from genokeras.support.wording import closest

MODEL_TYPES = ("ResNet", "DenseNet", "VAE", "enas")
OPTIMIZERS = (
    *("adam", "sgd", "adadelta", "adagrad", "adamw", "ftrl"),
    *("momentum", "rmsprop", "kfac", "dynamic_momentum", "lamb"),
)
SELECTORS = ("bayesian", "hyperband", "grid", "random")


# AutoGenome's paper calls its auto-encoder Res-VAE.
_RES_VAE = ("res-vae", "resvae", "res_vae")


def canonical_model(value: object) -> object:
    """Return the name of a model type as we write it, and anything else as it is."""
    return "VAE" if isinstance(value, str) and value.lower() in _RES_VAE else canonical(value, MODEL_TYPES)


def canonical(value: object, known: tuple[str, ...]) -> object:
    """Return the known spelling of a name written in any case, and anything else as it is."""
    if isinstance(value, str):
        return {name.lower(): name for name in known}.get(value.lower(), value)
    return value


def _whole(value: object) -> object:
    """Take 64.0 and 1e3 as the whole numbers they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _selector(value: object) -> object:
    if isinstance(value, bool) or value in SELECTORS:
        return value
    choices = ", ".join(map(repr, SELECTORS))
    text = str(value).lower()
    close = closest(text, (*SELECTORS, "true", "false"))
    hint = f" Did you mean {close[0] if close[0] in ('true', 'false') else repr(close[0])}?" if close else ""
    raise PydanticCustomError(
        "selector",
        "expected true, false or one of {choices}, got {given}.{hint}",
        {"choices": choices, "given": repr(value), "hint": hint},
    )


def _some_distinct(values: tuple[object, ...]) -> tuple[object, ...]:
    # Runs where all values are right, so that an empty list is one that was given empty.
    if not values:
        raise PydanticCustomError("too_short", "expected a list with at least one value.")
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "expected every value to occur once.")
    return values


def _folder_name(value: object) -> object:
    if isinstance(value, str) and (
        not value.strip() or value in (".", "..") or set(value) & set('/\\:*?"<>|')
    ):
        raise PydanticCustomError(
            "folder_name",
            "expected a name that can be a folder's, without / \\ : * ? \" < > |, got {given}.",
            {"given": repr(value)},
        )
    return value


def _delimiter(value: object) -> object:
    if isinstance(value, str) and (len(value) != 1 or value in '\r\n"') and value != r"\s+":
        raise PydanticCustomError(
            "delimiter",
            'expected one character, such as "\\t", "," or " " (any run of blanks), got {given}.',
            {"given": repr(value)},
        )
    return value


def _gpus(value: object) -> object:
    if isinstance(value, int) and value > 1:
        raise PydanticCustomError(
            "gpus",
            "expected 0 (the processor) or 1 (a GPU, where there is one), because a project trains on one device; got {given}.",
            {"given": value},
        )
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(gt=0)]
GpuCount = Annotated[int, Field(ge=0), BeforeValidator(_gpus), BeforeValidator(_whole)]
Text = Annotated[str, Field(min_length=1)]
Rate = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
KeepProb = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
LearningRate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FolderName = Annotated[Text, BeforeValidator(_folder_name)]
Delimiter = Annotated[str, BeforeValidator(_delimiter)]
Nonlinearity = Literal[None, "relu", "tanh", "sigmoid"]
ModelType = Annotated[Literal["ResNet", "DenseNet", "VAE", "enas"], BeforeValidator(canonical_model)]
OptimizerType = Annotated[
    Literal[
        "adam",
        "sgd",
        "adadelta",
        "adagrad",
        "adamw",
        "ftrl",
        "momentum",
        "rmsprop",
        "kfac",
        "dynamic_momentum",
        "lamb",
    ],
    BeforeValidator(lambda value: canonical(value, OPTIMIZERS)),
]
LoaderType = Annotated[
    Literal["DataLoader"], BeforeValidator(lambda value: canonical(value, ("DataLoader",)))
]
Selector = Annotated[bool | Literal["bayesian", "hyperband", "grid", "random"], BeforeValidator(_selector)]

# JSON has lists, frozen values hold tuples: strict=False lets the one become the other, the items stay strict.
_LIST = Field(strict=False)
CountList = Annotated[tuple[Count, ...], _LIST, AfterValidator(_some_distinct)]
KeepProbList = Annotated[tuple[KeepProb, ...], _LIST, AfterValidator(_some_distinct)]
NonlinearityList = Annotated[tuple[Nonlinearity, ...], _LIST, AfterValidator(_some_distinct)]
LearningRateList = Annotated[tuple[LearningRate, ...], _LIST, AfterValidator(_some_distinct)]
