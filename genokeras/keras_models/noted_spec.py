"""A parameter spec that notes which parameters are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

from genokeras.tuning import ParamSpec

BUILD, METRICS = "build", "metrics"


@final
class NotedSpec:
    """Stands for a :class:`~genokeras.tuning.ParamSpec` in the user's functions, and notes what they read.

    What else can be done with it are functions of this module, because a method could hide a parameter of its name.

    Parameters
    ----------
    spec : ParamSpec
    """

    def __init__(self, spec: ParamSpec) -> None:
        self._spec = spec
        self._phase = BUILD
        self._noted: dict[str, dict[str, Any]] = {BUILD: {}, METRICS: {}}

    def __getattr__(self, name: str) -> Any:
        # Reached only where Python found nothing; copying asks for names before `_spec` is there.
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._spec, name)
        # What is no parameter is a method, such as `items`, which may read all of them.
        self._noted[self._phase].update({name: value} if name in self._spec else self._spec.to_dict())
        return value

    def __contains__(self, name: object) -> bool:
        found = name in self._spec
        if found:
            getattr(self, str(name))
        return found

    def __len__(self) -> int:
        return len(self._spec)

    def __repr__(self) -> str:
        return repr(self._spec)


def show(view: NotedSpec, spec: ParamSpec) -> None:
    """Let `view` answer with another spec, for functions that keep reading it."""
    view._spec = spec


def noted(view: NotedSpec, *phases: str) -> dict[str, Any]:
    """Names and values read so far, in these phases."""
    return {name: value for phase in phases for name, value in view._noted[phase].items()}


@contextmanager
def measuring(view: NotedSpec) -> Iterator[None]:
    """A context in which reads are those of metrics, which do not change the training."""
    before, view._phase = view._phase, METRICS
    try:
        yield
    finally:
        view._phase = before


def still_holds(view: NotedSpec, spec: ParamSpec) -> bool:
    """Whether building again from `spec` would give the same: what was read while building has the same values there."""
    return all(name in spec and getattr(spec, name) == value for name, value in view._noted[BUILD].items())
