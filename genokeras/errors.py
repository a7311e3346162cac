"""The errors GenoKeras raises on purpose; each is also the built-in error it is a case of."""

from __future__ import annotations

from sklearn.exceptions import NotFittedError as _SklearnNotFittedError

from genokeras.visible import visible


class GenoKerasError(Exception):
    """Parent of every error raised on purpose."""

    def __str__(self) -> str:
        return visible(super().__str__())


class DataError(GenoKerasError, ValueError):
    """Samples, features or labels that cannot be used as they are."""


class CellTypeError(DataError, TypeError):
    """A cell of data that is of a type which holds no number, such as a dict."""


class DataFileError(DataError, OSError):
    """A data file that cannot be read: missing, empty, truncated, or not what its suffix says."""


class ParameterError(GenoKerasError, ValueError):
    """An argument outside of what a function accepts."""


class ConfigError(GenoKerasError, ValueError):
    """A project's configuration that cannot be used; the message lists all that is wrong with it."""


class GraphError(GenoKerasError, ValueError):
    """An architecture graph that is not well formed, or layers whose shapes do not fit."""


class NotFittedError(GenoKerasError, _SklearnNotFittedError):
    """A fitted result was asked for before ``fit``."""


class NoImportancesError(GenoKerasError, AttributeError):
    """How much each feature counts was asked for where that cannot be said."""


class RunFolderError(GenoKerasError, OSError):
    """A run folder that cannot be written, holds another run, or holds none."""


class RunInUseError(RunFolderError):
    """A run folder that another process writes to."""


class NewerFormatError(RunFolderError):
    """A file that a newer GenoKeras wrote, which this one cannot read."""


class SearchError(GenoKerasError, RuntimeError):
    """A search that cannot go on, such as one whose trials all fail."""


class TrainingError(GenoKerasError, RuntimeError):
    """A network that cannot be trained, such as one whose loss is not finite from the first step."""


class OutOfMemoryError(GenoKerasError, MemoryError):
    """Data or networks that need more memory than there is."""


class ExportError(GenoKerasError, RuntimeError):
    """An export that cannot be written, cannot be read again, or differs from its model."""
