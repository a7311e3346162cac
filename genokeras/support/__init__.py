"""What every part stands on: files, the run folder, wording, the backends of Keras."""

from genokeras.support.folder import RunFolder

__all__ = [
    "RunFolder",
]
