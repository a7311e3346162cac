"""Metrics of a net with several outputs: each belongs to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from genokeras.errors import ParameterError
from genokeras.support.wording import did_you_mean, listed


def metrics_by_output(
    metrics: Any, outputs: Sequence[str], of_keras: Callable[[Any], bool]
) -> dict[str, list[Any]]:
    """The metrics of each output, which Keras calls by the output and the metric: ``c_mae``.

    Parameters
    ----------
    metrics : dict of output to metric or list of metrics; or list with one such entry for each output
    outputs : sequence of str
        Names of the net's outputs.
    of_keras : callable
        Says whether something is a metric of Keras.

    Raises
    ------
    ParameterError
        If it is neither, or holds a function of all rows, which needs one output.
    """
    example = f"{{{outputs[0]!r}: ['mae'], ...}}"
    if isinstance(metrics, dict):
        unknown = [name for name in metrics if name not in outputs]
        if unknown:
            raise ParameterError(
                f"metrics must be a dict of output to metrics, as the net has {len(outputs)} outputs ({listed(outputs)}), but "
                f"{unknown[0]!r} is none of them.{did_you_mean(unknown[0], outputs)} Pass metrics={example}."
            )
        given: Iterable[tuple[str, Any]] = metrics.items()
    elif len(metrics) == len(outputs):
        given = zip(outputs, metrics, strict=True)
    else:
        raise ParameterError(
            f"metrics must say which output each belongs to, as the net has {len(outputs)} outputs ({listed(outputs)}): pass "
            f"metrics={example}."
        )
    found = {
        name: list(part) if isinstance(part, list | tuple) else [part]
        for name, part in given
        if part is not None
    }
    for name, parts in found.items():
        for metric in parts:
            if not of_keras(metric):
                raise ParameterError(
                    f"a metric of the output {name!r} must be a metric of Keras or its name, got {metric!r}: a function of all "
                    "rows needs a net of one output."
                )
    return found
