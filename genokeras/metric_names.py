"""What scores are called where a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
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
