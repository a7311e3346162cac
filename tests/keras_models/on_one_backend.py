"""Run under one Keras backend by ``test_other_backends.py``: ``python -m tests.keras_models.on_one_backend OUT.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.keras_models import lr_range_test, run, search
from tests.keras_models.any_models import FUNCTIONS, LISTS, SPEC, weights
from tests.keras_models.small_models import small_model, small_problem, state


def search_and_run(folder: Path) -> dict[str, Any]:
    """Search, train, resume, evaluate, predict."""
    options: dict[str, Any] = {"batch_size": 20, "total_steps": 15, "evaluation_total_steps": 2}
    best = search(*FUNCTIONS, **options, param_spec=SPEC, param_list_spec=LISTS)
    folders = [folder / "whole", folder / "parts"]
    common: dict[str, Any] = {"batch_size": 20, "param_spec": best}
    run(*FUNCTIONS, **common, log_dir=folders[0], max_number_of_steps=40)
    run(*FUNCTIONS, **common, log_dir=folders[1], max_number_of_steps=23)
    run(*FUNCTIONS, **common, log_dir=folders[1], max_number_of_steps=40)
    return {
        "best": best.to_dict(),
        "metrics": run(*FUNCTIONS, run_mode="evaluate", log_dir=folders[0]),
        "shape": list(run(*FUNCTIONS, run_mode="predict", log_dir=folders[0]).shape),
        "resumed": all(np.array_equal(*pair) for pair in zip(*map(weights, folders), strict=True)),
    }


def range_tests() -> dict[str, Any]:
    """The suggestions, and whether the model is unchanged afterwards."""
    x, y = small_problem()
    model = small_model()
    model.train_on_batch(x, y)
    before = state(model)
    test = lr_range_test(model, x, y, steps=25, batch_size=16, last=1.0)
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, state(model), strict=True))
    after = model.train_on_batch(x, y)[0]
    other = lr_range_test(model, x, y, loss=keras.losses.SparseCategoricalCrossentropy(), steps=10)
    return {
        "unchanged": unchanged,
        "suggestion": test.suggestion,
        "finite": [*test.raw.tolist(), float(after), other.suggestion],
    }


def main(out: Path) -> None:
    found = {"backend": keras.backend.backend(), **search_and_run(out.parent), **range_tests()}
    out.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
