"""A model's answers in blocks of one size, without a word from TensorFlow about programs it has to compile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import keras
import numpy as np

from genokeras.encoders.encoder import Encoder, n_rows, take
from genokeras.errors import DataError
from genokeras.support.backends import current_backend
from genokeras.support.wording import counted, listed

# So few blocks are done sooner one operation at a time than compiled first.
_EAGER_BLOCKS = 4
_BLOCK_NUMBERS = 4_000_000
_LARGEST_BLOCK = 256


@final
class Inference:
    """Calls a model on blocks that all have one shape.

    Parameters
    ----------
    model : keras.Model
        Its weights may change between calls.
    n_blocks : int, optional
        How many blocks are to come; very many where not said.
    """

    def __init__(self, model: Any, n_blocks: int | None = None) -> None:
        self._model = model
        self._call: Callable[..., Any] | None = None
        if keras.backend.backend() == "tensorflow":
            few = n_blocks is not None and n_blocks <= _EAGER_BLOCKS
            # Other backends would take the weights into the program as they are now.
            self._call = self._answer if few else current_backend().compile(self._answer)

    def __call__(self, *inputs: Any) -> np.ndarray:
        """``(rows, ...)`` arrays, one for each input of the model -> ``(rows, n_outputs)``."""
        if self._call is None:
            found = self._model.predict_on_batch(_one_or_all(inputs))
        else:
            found = self._call(*[keras.ops.convert_to_tensor(values) for values in inputs])
        return np.asarray(keras.ops.convert_to_numpy(found))

    def _answer(self, *inputs: Any) -> Any:
        return self._model(_one_or_all(inputs), training=False)


def _one_or_all(inputs: tuple[Any, ...]) -> Any:
    return inputs[0] if len(inputs) == 1 else list(inputs)


def checked_answers(answers: np.ndarray, names: Sequence[object]) -> np.ndarray:
    """Return a model's answers ``(n_samples, n_outputs)``.

    Raises
    ------
    DataError
        If some are no finite numbers; the message names these samples.
    """
    odd = np.flatnonzero(~np.isfinite(answers).all(axis=1)).tolist()
    if odd:
        raise DataError(
            f"the model has no finite answer for {counted(len(odd), 'sample')}: {listed((names[i] for i in odd), 8)}. Their values "
            "are so far from those of the training samples that sums overflow: look for a wrong unit, or a number that stands "
            "for a missing value."
        )
    return answers


def predict(model: Any, encoder: Encoder, rows: dict[str, np.ndarray]) -> np.ndarray:
    """Answers ``(n_samples, n_outputs)`` float32 of a model whose inputs are some of ``encoder.model_inputs``, by name."""
    read = max(int(np.prod(x.shape[1:])) for x in model.inputs)
    size = int(np.clip(_BLOCK_NUMBERS // max(read, encoder.numbers_per_row), 8, _LARGEST_BLOCK))
    n = n_rows(rows)
    names = [tensor.name for tensor in model.inputs]
    answers = Inference(model, -(-n // size))
    parts = []
    for start in range(0, n, size):
        # The last block is filled up with repeats, so that nothing is compiled for its size.
        picked = np.minimum(np.arange(start, start + size), n - 1) if n > size else np.arange(n)
        parts.append(answers(*encoder.inputs_named(names, take(rows, picked)))[: n - start])
    return np.concatenate(parts)
