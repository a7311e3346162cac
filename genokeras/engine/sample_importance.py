"""How much each sample counts by its weight alone: what a run keeps are weights times what ``class_weight`` multiplies them by."""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.engine.run import Run

# Of run.json: what the weights of each class were multiplied by.
CLASS_FACTORS = "class_factors"
_ROUNDING = 1e-6


def factors_entry(factors: np.ndarray | None) -> dict[str, Any]:
    """The entry of ``run.json`` that `importance_of` reads; none where all classes count alike."""
    return {} if factors is None else {CLASS_FACTORS: factors.tolist()}


def importance_of(run: Run) -> np.ndarray | None:
    """Weights ``(n,)`` of the samples that some fold holds out, without those of their classes; their mean is 1.

    None where all count alike. Runs that were fitted with ``class_weight`` before it was kept how much each class counted have weights of
    mean 1 within each class.
    """
    rows = run.rows
    scored, settings = rows.scored, run.folder.settings
    weight, targets = rows.sample_weight[scored], rows.targets[scored]
    if CLASS_FACTORS in settings:
        weight = weight / np.asarray(settings[CLASS_FACTORS])[targets]
    elif settings.get("settings", {}).get("class_weight") is not None:
        means = np.bincount(targets, weight) / np.maximum(np.bincount(targets), 1)
        weight = weight / np.where(means > 0, means, 1.0)[targets]
    weight = weight / weight.mean()
    return None if np.abs(weight - 1.0).max() < _ROUNDING else weight
