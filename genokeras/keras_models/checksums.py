"""Checksums of layers, losses, metrics and functions: the same in every process, whatever names were generated."""

from __future__ import annotations

import dis
import json
import os
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import keras
import numpy as np

from genokeras.support.digest import hex_digest

_LENGTH = 8
# Generated, drawn anew for every object, a matter of the place of its class, or not of the object itself.
_NOT_COMPARED = frozenset(
    {"name", "seed", "trainable", "module", "registered_name", "build_config", "compile_config"}
)
_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))
_INSTALLED = (
    f"{os.sep}site-packages{os.sep}",
    f"{os.sep}dist-packages{os.sep}",
    os.path.dirname(os.__file__),
)
_NO_CONFIG = (NotImplementedError, TypeError, ValueError, AttributeError, KeyError, RuntimeError)


def versions() -> str:
    """Whatever the checksums depend on beside the objects: those of other versions cannot be compared."""
    return f"Keras {keras.__version__}, Python {sys.version_info.major}.{sys.version_info.minor}"


def checksum(*values: Any) -> str:
    """The first digits of a digest of what objects are made of.

    Parameters
    ----------
    *values : object
        Of a Keras object its class and settings count, but no name and no seed; of an own function or class its code, its
        defaults, and the constants that it encloses. What is installed counts by its name.
    """
    described = [_described(value, ()) for value in values]
    return hex_digest(json.dumps(described, sort_keys=True, default=_kind), length=_LENGTH)


def own_code(kind: type) -> dict[str, Any]:
    """The code of a class and of those above it, as far as they are not installed."""
    found: dict[str, Any] = {}
    for one in kind.__mro__:
        if _is_installed(one):
            break
        for name, member in vars(one).items():
            inner = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if isinstance(inner, FunctionType):
                found.setdefault(name, _function(inner, ()))
            elif isinstance(inner, _PLAIN) and not name.startswith("__"):
                found.setdefault(name, repr(inner))
    return found


def settings(value: Any) -> dict[str, Any] | None:
    """What Keras writes of an object, or None where it can write nothing."""
    if not hasattr(value, "get_config"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of what it could not load again
        try:
            found: dict[str, Any] = value.get_config()
        except _NO_CONFIG:  # a class of one's own
            return None
    return found


def _described(value: Any, seen: tuple[int, ...]) -> Any:
    if isinstance(value, _PLAIN):
        return repr(value)
    if id(value) in seen:
        return _kind(value)
    seen = (*seen, id(value))
    if isinstance(value, dict):
        return _of_dict(value, seen)
    if isinstance(value, list | tuple):
        return [_described(one, seen) for one in value]
    if isinstance(value, np.ndarray | np.generic | keras.Variable) or keras.ops.is_tensor(value):
        return _array(np.asarray(keras.ops.convert_to_numpy(value)))
    if isinstance(value, FunctionType):
        return _function(value, seen)
    if isinstance(value, MethodType):
        return [_function(value.__func__, seen), _described(value.__self__, seen)]
    if isinstance(value, partial):
        return [_described(part, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return _kind(value)
    return _object(value, seen)


def _of_dict(value: dict[Any, Any], seen: tuple[int, ...]) -> Any:
    kind = str(value.get("class_name", ""))
    if kind == "__lambda__":
        return kind  # its bytes hold the place in a file; its code is met where the object holds it
    if kind.endswith("DTypePolicy"):
        return repr(value.get("config"))  # whose name is what it says
    return {str(key): _described(part, seen) for key, part in value.items() if key not in _NOT_COMPARED}


def _object(value: Any, seen: tuple[int, ...]) -> Any:
    found = {"class": _kind(value), "code": own_code(type(value))}
    config = settings(value)
    if config is not None:
        found["settings"] = _described(config, seen)
    elif not isinstance(value, keras.Layer):
        found["settings"] = {
            key: _described(one, seen) for key, one in vars(value).items() if _is_constant(one)
        }
    # Some losses of Keras write these nowhere else.
    found["arguments"] = _described(getattr(value, "_fn_kwargs", None), seen)
    found["functions"] = {key: _described(one, seen) for key, one in _held_functions(value)}
    return found


def _held_functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Own functions, and own objects that are called as functions are, such as a regulariser."""
    for key, one in vars(value).items():
        function = isinstance(one, FunctionType | partial)
        if not function and (
            not callable(one) or isinstance(one, keras.Layer | keras.Variable | MethodType | type)
        ):
            continue
        if isinstance(one, partial) or not _is_installed(one if function else type(one)):
            yield key, one


def _function(function: Any, seen: tuple[int, ...]) -> Any:
    if _is_installed(function):
        return function.__qualname__
    code = function.__code__
    rebound = {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_DEREF"}
    enclosed = {
        name: cell
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
        if name not in rebound
    }
    return {
        "code": _code(code),
        "defaults": _described([*(function.__defaults__ or ()), function.__kwdefaults__ or {}], seen),
        "enclosed": {name: _described(one, seen) for name, one in _contents(enclosed) if _is_constant(one)},
    }


def _contents(cells: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells.items():
        try:
            yield name, cell.cell_contents
        except ValueError:  # nothing is in it yet
            continue


def _is_constant(value: Any) -> bool:
    """Whether it stays as it is: a list may be what a function counts in, and a layer learns."""
    if isinstance(value, tuple):
        return all(map(_is_constant, value))
    own = isinstance(value, keras.losses.Loss | keras.regularizers.Regularizer)
    return own or isinstance(value, (*_PLAIN, np.ndarray, np.generic, FunctionType, partial))


def _code(code: CodeType) -> Any:
    constants = [_code(one) if isinstance(one, CodeType) else _constant(one) for one in code.co_consts]
    return [code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars]


def _constant(value: Any) -> str:
    return repr(sorted(map(repr, value)) if isinstance(value, frozenset) else value)


def _array(value: np.ndarray) -> str:
    content = value.astype(str) if value.dtype == object else value
    return f"{value.dtype} {value.shape} {hex_digest(content, length=_LENGTH)}"


def _is_installed(value: Any) -> bool:
    """Whether a class or function comes with Python, GenoKeras or another package."""
    module = str(getattr(value, "__module__", ""))
    if module.split(".")[0] in ("genokeras", "builtins"):
        return True
    code = getattr(value, "__code__", None)
    place = code.co_filename if code else getattr(sys.modules.get(module), "__file__", None)
    return any(part in str(place) for part in _INSTALLED)


def _kind(value: Any) -> str:
    return str(getattr(value, "__qualname__", type(value).__qualname__))
