"""The device that a training is asked to run on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras

from genokeras.errors import ParameterError
from genokeras.support.backends import gpu_count


def asked_device(gpus: Any = None, devices: Any = None, tpus: Any = None) -> AbstractContextManager[Any]:
    """A context that runs what is in it on the device that was asked for.

    Parameters
    ----------
    gpus : int, str, list of int or None
        None: whatever Keras takes. 0: the processor. 1: one GPU; -1: all; "1" and [1]: the GPU of that number.
    devices : int, "auto" or None
        1 and "auto" are whatever Keras takes.
    tpus : int or None

    Raises
    ------
    ParameterError
        If there are fewer of them, or several are asked for.
    """
    if tpus:
        raise ParameterError(f"tpus={tpus!r}: TPUs are not supported here. Leave out tpus.")
    if devices not in (None, 1, "auto"):
        raise _several("devices", devices)
    if gpus is None:
        return nullcontext()
    there = gpu_count()
    numbers = _numbers(gpus, there)
    if not numbers and gpus == -1:
        return keras.device("cpu:0")
    missing = [number for number in numbers if not 0 <= number < there]
    if missing:
        raise ParameterError(
            f"gpus={gpus!r} asks for GPU {missing[0]}, counted from 0, but {keras.backend.backend()} sees {there} GPUs here. Pass "
            "gpus=0 to train on the processor."
        )
    if len(numbers) > 1:
        raise _several("gpus", gpus)
    return keras.device(f"gpu:{numbers[0]}" if numbers else "cpu:0")


def _numbers(gpus: Any, there: int) -> list[int]:
    if isinstance(gpus, int) and not isinstance(gpus, bool) and gpus >= -1:
        return list(range(there if gpus == -1 else gpus))
    parts = gpus.split(",") if isinstance(gpus, str) else gpus
    try:
        return [int(part) for part in parts]
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f'gpus must be a number of GPUs, -1 for all, or their numbers such as [0] or "0", got {gpus!r}.'
        ) from error


def _several(name: str, value: Any) -> ParameterError:
    return ParameterError(
        f"{name}={value!r} asks for several devices, but a Trainer trains on one. With JAX, LightModel(net, "
        "distribution=keras.distribution.DataParallel()) with compile trains on several."
    )
