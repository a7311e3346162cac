"""A parameter spec that notes what is read of it."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator
from contextlib import contextmanager
from typing import Any, final

from genokeras.tuning import ParamSpec

BUILD, METRICS = "build", "metrics"


@final
class ReadSpec:
    """Stands for a :class:`~genokeras.tuning.ParamSpec` in front of people's functions.

    Parameters
    ----------
    spec : ParamSpec
        What it answers with; :meth:`show` puts another in its place, for functions that go on reading it.
    """

    def __init__(self, spec: ParamSpec) -> None:
        self._spec = spec
        self._phase = BUILD
        self._reads: dict[str, dict[str, Any]] = {BUILD: {}, METRICS: {}}

    def __getattr__(self, name: str) -> Any:
        # Reached only where Python found nothing; copying asks for names before `_spec` is there.
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._spec, name)
        if name in self._spec:
            self._reads[self._phase][name] = value
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

    def to_dict(self) -> dict[str, Any]:
        """All values, all of which count as read."""
        values = self._spec.to_dict()
        self._reads[self._phase].update(values)
        return values

    def items(self) -> ItemsView[str, Any]:
        """Names with their values, all of which count as read."""
        return self.to_dict().items()

    def replace(self, **values: Any) -> ParamSpec:
        """Another spec; everything counts as read."""
        self.to_dict()
        return self._spec.replace(**values)

    # The names below begin with an underscore so that they cannot hide a parameter.

    def _show(self, spec: ParamSpec) -> None:
        self._spec = spec

    def _read(self, phase: str) -> dict[str, Any]:
        return self._reads[phase]

    @contextmanager
    def _in_phase(self, phase: str) -> Iterator[None]:
        before, self._phase = self._phase, phase
        try:
            yield
        finally:
            self._phase = before


def show(view: ReadSpec, spec: ParamSpec) -> None:
    """Let `view` answer with another spec."""
    view._show(spec)


def reads(view: ReadSpec, *phases: str) -> dict[str, Any]:
    """Names and values read so far, in these phases."""
    return {name: value for phase in phases for name, value in view._read(phase).items()}


def measuring(view: ReadSpec) -> Any:
    """A context in which reads are those of metrics, which do not change the training."""
    return view._in_phase(METRICS)


def still_holds(view: ReadSpec, spec: ParamSpec) -> bool:
    """Whether what was read while building has the same values in `spec`, so that building again would give the same."""
    return all(name in spec and getattr(spec, name) == value for name, value in view._read(BUILD).items())
