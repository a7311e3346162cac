"""Run under one Keras backend by ``test_exports_on_other_backends.py``: ``python -m ... FOLDER``."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import keras

from genokeras import GenoKerasError
from genokeras.exports import FORMATS, export_model_as
from tests.exports.exported_models import ensemble, expression, two_input_rows, two_inputs


def main(folder: Path) -> None:
    """Export both models in every format, and write how far each is from its model, or why it could not be."""
    warnings.simplefilter("error")
    models = {"two_inputs": (two_inputs(), two_input_rows()), "ensemble": (ensemble(), expression())}
    found: dict[str, dict[str, float | str]] = {"backend": {keras.backend.backend(): 0.0}}
    for name, (model, rows) in models.items():
        found[name] = {}
        for format in FORMATS:
            try:
                done = export_model_as(model, folder / f"{name}_{format}", format, examples=rows)
                found[name][format] = done.largest_difference
            except GenoKerasError as error:
                found[name][format] = str(error)
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
