"""Fits of one process compile once what they train alike, as the trials of one fit do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Any

import keras

from genokeras.enas import SearchData, Supernet, SupernetSettings
from genokeras.graph.arcs import ArcSpace
from genokeras.support.backends import Backend
from genokeras.training import PackedTrainer

# Each takes some 25 MB.
_KEPT_PROGRAMS = 40
# What a supernet is trained by and its programs do not hold.
_NOT_IN_PROGRAMS = ("steps", "min_steps", "patience", "snapshots", "seed", "learning_rate")
_compiled: OrderedDict[Hashable, Any] = OrderedDict()


class _Programs(OrderedDict[Hashable, Any]):
    """The programs of one trainer; one that another trainer has compiled for the same settings and precision takes the place of its own."""

    def __init__(self, settings: Hashable) -> None:
        super().__init__()
        self._settings = settings

    def __setitem__(self, key: Hashable, program: Any) -> None:
        super().__setitem__(key, _kept((self._settings, key), program))


class _SupernetBackend:
    """The backend of one supernet, which compiles nothing that it has compiled for another one alike."""

    def __init__(self, inner: Backend, key: Hashable) -> None:
        self._inner = inner
        self._key = key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _kept((self._key, function.__name__), self._inner.compile(function))


def _kept(key: Hashable, program: Any) -> Any:
    name = (keras.config.floatx(), keras.config.dtype_policy().name, key)
    kept = _compiled.setdefault(name, program)
    _compiled.move_to_end(name)
    if len(_compiled) > _KEPT_PROGRAMS:
        _compiled.popitem(last=False)
    return kept


def share() -> None:
    """Have every trainer and supernet that begins from now on share its programs; each still counts those that it needs."""
    begin = PackedTrainer.__init__

    def begin_with_shared(self: PackedTrainer, settings: Any) -> None:
        begin(self, settings)
        self._programs = _Programs(settings)

    PackedTrainer.__init__ = begin_with_shared  # type: ignore[method-assign]
    begin_net = Supernet.__init__

    def begin_net_with_shared(
        self: Supernet, space: ArcSpace, data: SearchData, settings: SupernetSettings
    ) -> None:
        begin_net(self, space, data, settings)
        held = [
            (f.name, getattr(settings, f.name)) for f in fields(settings) if f.name not in _NOT_IN_PROGRAMS
        ]
        shapes = (data.inputs.shape, data.targets.shape, data.n_folds, len(self._rows))
        scored = tuple((name, array.shape) for name, array in self._scored.items())
        self._backend = _SupernetBackend(self._backend, (space, tuple(held), shapes, scored))  # type: ignore[assignment]

    Supernet.__init__ = begin_net_with_shared  # type: ignore[method-assign]
