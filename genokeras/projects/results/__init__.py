"""What a project leaves under ``save_dir``: models, predictions, metrics and figures."""

from __future__ import annotations

from genokeras.projects.results.metrics import score_outputs
from genokeras.projects.results.outputs import MODEL_FILE, OutputFolder
from genokeras.projects.results.result_files import (
    read_table,
    write_confusion,
    write_latent,
    write_metrics,
    write_predictions,
)
from genokeras.projects.results.trained import (
    TRAINED_FILE,
    TrainedModel,
    TrainedRecord,
    finish,
    input_names,
    newest,
    read_record,
)

__all__ = [
    "MODEL_FILE",
    "TRAINED_FILE",
    "OutputFolder",
    "TrainedModel",
    "TrainedRecord",
    "finish",
    "input_names",
    "newest",
    "read_record",
    "read_table",
    "score_outputs",
    "write_confusion",
    "write_latent",
    "write_metrics",
    "write_predictions",
]
