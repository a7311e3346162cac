"""Fits of one process compile once what they train alike, as the trials of one fit do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import keras

from genokeras.training import PackedTrainer

_KEPT_PROGRAMS = 200
_compiled: OrderedDict[Hashable, Any] = OrderedDict()


class _Programs(OrderedDict[Hashable, Any]):
    """The programs of one trainer; one that another trainer has compiled for the same settings and precision takes the place of its own."""

    def __init__(self, settings: Hashable) -> None:
        super().__init__()
        self._settings = settings

    def __setitem__(self, key: Hashable, program: Any) -> None:
        name = (self._settings, keras.config.floatx(), keras.config.dtype_policy().name, key)
        super().__setitem__(key, _compiled.setdefault(name, program))
        _compiled.move_to_end(name)
        if len(_compiled) > _KEPT_PROGRAMS:
            _compiled.popitem(last=False)


def share() -> None:
    """Have every trainer that begins from now on share its programs; each still counts those that it needs."""
    begin = PackedTrainer.__init__

    def begin_with_shared(self: PackedTrainer, settings: Any) -> None:
        begin(self, settings)
        self._programs = _Programs(settings)

    PackedTrainer.__init__ = begin_with_shared  # type: ignore[method-assign]
