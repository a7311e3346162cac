"""TensorFlow's advice against tracing functions again, which is of no use where each network is another."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_ADVICE = "triggered tf.function retracing"


def _is_other(record: logging.LogRecord) -> bool:
    return _ADVICE not in record.getMessage()


@contextmanager
def without_retracing_advice() -> Iterator[None]:
    """Hold that advice back; a context manager, and a decorator.

    Keras traces the step of each model once, and TensorFlow counts by the line of code: who trains several models is warned though nothing
    is amiss.
    """
    logger = logging.getLogger("tensorflow")
    held = _is_other in logger.filters
    if not held:
        logger.addFilter(_is_other)
    try:
        yield
    finally:
        if not held:
            logger.removeFilter(_is_other)
