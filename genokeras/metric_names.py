"""What scores are called, and how their intervals are written, where a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "r2": "R2",
        "mse": "MSE",
        "rmse": "RMSE",
        "mae": "MAE",
        "f1": "F1",
        "mcc": "MCC",
        "roc_auc": "ROC AUC",
        "brier": "Brier score",
        "c_index": "C-index (Harrell)",
        "c_index_uno": "C-index (Uno)",
        "auc": "time-dependent AUC",
        "integrated_brier": "integrated Brier score",
    }
)


def metric_name(metric: str) -> str:
    """``log loss`` for ``log_loss``, ``ROC AUC`` for ``roc_auc``."""
    return _NAMES.get(metric, metric.replace("_", " "))


def span(limits: Sequence[float | None] | None, digits: int = 3) -> str:
    """``0.100 to 0.300``, the limits of an interval; an empty text where they are not known, None or NaN.

    Examples
    --------
    >>> span((0.1, 0.3)), span((float("nan"), float("nan")))
    ('0.100 to 0.300', '')
    """
    known = [limit for limit in limits or () if limit is not None and limit == limit]
    return " to ".join(f"{limit:.{digits}f}" for limit in known) if len(known) == 2 else ""
