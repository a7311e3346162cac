"""Ctrl-C that is not lost."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self, final


@final
class Interruption:
    """Notes that Ctrl-C was pressed while it is entered, and raises KeyboardInterrupt as ever.

    Python drops an exception that is raised while an object is deleted or native code calls back, which compiling a network
    does all the time. Whoever asks ``pressed`` afterwards learns of it all the same. Handlers of others are left alone.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._ours = False

    def __enter__(self) -> Self:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._ours = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._ours = False

    def _handle(self, number: int, frame: FrameType | None) -> Any:
        self.pressed = True
        return signal.default_int_handler(number, frame)
