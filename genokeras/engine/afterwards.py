"""What was done with a run since it finished: what its estimator says of it, in the journal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genokeras.encoders import BackboneEncoder
from genokeras.engine.run import Run

FINE_TUNING, FINAL_FIT, FINAL_EVALUATION = "fine_tuning", "final_fit", "final_evaluation"


def record_evaluation(run: Run, scores: Mapping[str, float]) -> None:
    """Write the scores of a final fit's test samples."""
    known = {name: value if math.isfinite(value) else None for name, value in scores.items()}
    run.folder.record(FINAL_EVALUATION, scores=known)


def done_since(run: Run) -> dict[str, Any]:
    """``"fine_tuning"`` and ``"final_evaluation"`` as `fine_tune` and `final_fit` left them; those that were called only."""
    # A long journal is read only where there may be something.
    if FINAL_FIT not in run.noted and not isinstance(run.problem.encoder, BackboneEncoder):
        return {}
    found: dict[str, Any] = {}
    for line in run.folder.journal():
        match line["event"]:
            case "finished":
                found = {}
            case "fine_tuning":
                found[FINE_TUNING] = {name: value for name, value in line.items() if name != "event"}
            case "final_fit":
                found[FINAL_EVALUATION] = None
            case "final_evaluation":
                scores = line["scores"].items()
                found[FINAL_EVALUATION] = {
                    name: math.nan if value is None else value for name, value in scores
                }
    return found
