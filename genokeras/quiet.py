"""Hold back the noise that TensorFlow makes while it is imported."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

# How TensorFlow is told what to print. At 3 it prints no errors either: those that matter are exceptions, too.
LEVEL = "TF_CPP_MIN_LOG_LEVEL"
LOUD, _SILENT = "0", "3"
_ALL = (LOUD, "1")

# Log lines of absl and of TensorFlow, which come before its log level counts.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ "
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|To enable the following instructions: "
)
# Standard error is one for the whole process: whoever comes first holds it, for all that run meanwhile.
_LOCK = threading.Lock()
_held = False


class QuietTensorFlow(MetaPathFinder):
    """Finds TensorFlow as the other finders do, and keeps it quiet while it is imported, once.

    Whoever imports it first, Keras as a rule, does so in silence; unless ``TF_CPP_MIN_LOG_LEVEL`` is 0 or 1.
    """

    def __init__(self) -> None:
        self._looking = False

    @classmethod
    def install(cls) -> None:
        """Put it before the other finders, if TensorFlow is not there yet."""
        if "tensorflow" not in sys.modules and not any(isinstance(one, cls) for one in sys.meta_path):
            sys.meta_path.insert(0, cls())

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow" or self._looking:
            return None
        self._looking = True
        try:
            spec = find_spec(fullname)
        finally:
            self._looking = False
        # Some only ask whether it is there, as PyTorch does: what they get is not imported, and the next one has to be quiet, too.
        if spec is None or spec.loader is None or os.environ.setdefault(LEVEL, _SILENT) in _ALL:
            self.remove()
        else:
            spec.loader = _QuietLoader(spec.loader, self)
        return spec

    def remove(self) -> None:
        """Leave the search for modules to the other finders."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _QuietLoader(Loader):
    def __init__(self, loader: Loader, finder: QuietTensorFlow) -> None:
        self._loader, self._finder = loader, finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._finder.remove()
        # The module shall look as if it had been found without us.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with quiet_start():
            self._loader.exec_module(module)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what native code writes to standard error, and pass on all but known log lines at the end.

    Python's ``sys.stderr`` cannot do that, because native code writes to the file descriptor. If the body raises,
    everything is passed on, log lines too. What a process says that dies in the body (a library built for another
    processor, say) is lost: ``--debug`` on the command line, or ``TF_CPP_MIN_LOG_LEVEL=0``, shows it.
    """
    import tempfile  # which takes as long as all of GenoKeras' own names

    original = _take()
    if original is None:
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            _flush()
            _give_back(original)
            held.seek(0)
            lines = [line for line in held if failed or not _CHATTER.match(line)]
            if lines:
                os.write(2, b"".join(lines))


def _take() -> int | None:
    """A copy of standard error; None where there is none to keep quiet, or somebody keeps it quiet already."""
    global _held
    with _LOCK:
        if _held:
            return None
        try:
            _flush()
            original = os.dup(2)
        except OSError:
            return None
        _held = True
        return original


def _give_back(original: int) -> None:
    global _held
    with _LOCK:
        os.dup2(original, 2)
        os.close(original)
        _held = False


def _flush() -> None:
    if sys.__stderr__ is not None:
        sys.__stderr__.flush()
