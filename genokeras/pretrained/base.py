"""What all pretrained models have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any, Self

from genokeras.errors import NotFittedError


class Pretrained(ABC):
    """A model that others have trained: ``load`` a preset, then ``predict``."""

    _task: Any = None

    @abstractmethod
    def load(self, preset: str | os.PathLike[str]) -> Self:
        """Load the weights of a preset; gives back the object itself."""

    @abstractmethod
    def predict(self, x: Any) -> Any:
        """What the model finds in `x`."""

    def _loaded_task(self) -> Any:
        if self._task is None:
            name = type(self).__name__
            raise NotFittedError(
                f"this {name} has no weights yet: call {name}().load(preset) before predict."
            )
        return self._task


def predict_prepared(task: Any, inputs: Any, batch_size: int) -> Any:
    """Predict from what the task's preprocessor made: doing that inside of ``predict`` takes a second at every call."""
    preprocessor, task.preprocessor = task.preprocessor, None
    try:
        return task.predict(inputs, batch_size=batch_size, verbose=0)
    finally:
        task.preprocessor = preprocessor
