"""Ctrl-C, SIGTERM and SIGUSR1 while something is fitted: a first one ends it and delivers, a second one stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar, final

# What a signal has where nobody handles it.
_UNHANDLED: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
if hasattr(signal, "SIGUSR1"):  # with which clusters warn of the end
    _UNHANDLED[signal.SIGUSR1] = signal.SIG_DFL
_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class Interruption:
    """Takes Ctrl-C, SIGTERM and SIGUSR1 in the main thread while it is entered; handlers of others are left alone.

    A first signal raises KeyboardInterrupt, unless what goes on has to be finished: then it is only noted. A second one
    always raises. Where another than Ctrl-C broke off the whole, SystemExit with code 143 leaves in place of KeyboardInterrupt.

    Python drops an exception that is raised while an object is deleted or native code calls back, which compiling a network
    does all the time. Whoever asks ``pressed`` afterwards learns of it all the same.

    Entered within another one, it gives that one.

    Attributes
    ----------
    pressed : bool
        Whether there was a signal.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._last = signal.SIGINT
        self._only_notes = False
        self._ours: list[signal.Signals] = []

    def __enter__(self) -> Interruption:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number, unhandled in _UNHANDLED.items():
            current = signal.getsignal(number)
            outer = getattr(current, "__self__", None)
            if isinstance(outer, Interruption):
                return outer
            if current is unhandled:
                signal.signal(number, self._handle)
                self._ours.append(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._ours:
            if getattr(signal.getsignal(number), "__self__", None) is self:
                signal.signal(number, _UNHANDLED[number])
        self._ours.clear()
        if isinstance(error, KeyboardInterrupt) and self._last != signal.SIGINT:
            raise SystemExit(self.exit_code) from None

    @property
    def exit_code(self) -> int:
        """What a command ends with that was broken off: 130 of Ctrl-C, 143 of the others."""
        return 128 + (signal.SIGINT if self._last == signal.SIGINT else signal.SIGTERM)

    def check(self) -> None:
        """Raise KeyboardInterrupt where there was a signal, which Python may have dropped."""
        if self.pressed:
            raise KeyboardInterrupt

    def finish(self) -> None:
        """From now on a first signal is only noted."""
        self._only_notes = True

    @contextmanager
    def noting(self) -> Iterator[Self]:
        """A first signal is only noted within."""
        before, self._only_notes = self._only_notes, True
        try:
            yield self
        finally:
            self._only_notes = before

    def _handle(self, number: int, frame: FrameType | None) -> Any:
        is_first, self.pressed = not self.pressed, True
        self._last = signal.Signals(number)
        if not (is_first and self._only_notes):
            raise KeyboardInterrupt


def interruptible(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, within an `Interruption`; not begun where there was a signal before, which Python dropped."""

    @wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        with Interruption() as interruption:
            interruption.check()
            return function(*args, **kwargs)

    return called
