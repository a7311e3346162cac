"""Which estimator a run belongs to, by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What estimators are called, by the task; all others are regressors.
_FACES = {
    "classes": "Classifier",
    "ordered": "Classifier",
    "labels": "Classifier",
    "cox": "Survival",
    "hazard": "Survival",
}


def estimator_name(settings: Mapping[str, Any]) -> str:
    """Which estimator or module a run with these settings belongs to."""
    kind = str(settings.get("kind") or "genome").title().replace("_", "")
    if kind.endswith("Module"):
        return kind
    return f"{kind}{face_of(str(settings.get('task', 'classes')))}"


def face_of(task: str) -> str:
    """What estimators of a kind of task are called."""
    return _FACES.get(task, "Regressor")


def run_words(settings: Mapping[str, Any]) -> str:
    """What messages call a run with these settings."""
    kind = settings.get("kind")
    return f"{kind}s" if kind not in (None, "genome") else estimator_name(settings)
