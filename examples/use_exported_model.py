"""Predict with an exported model in a process that knows Keras and numpy, but not GenoKeras.

    python -I examples/use_exported_model.py runs/leukemia/leukemia.keras runs/leukemia/leukemia.json data.tsv.gz

The JSON file was written beside the model: "classes" in the order of the model's outputs, "feature_names" in the
order of its inputs. The table has samples in rows, with the sample's name in its first column.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections import Counter
from pathlib import Path

import keras
import numpy as np


def read_features(path: Path, feature_names: list[str]) -> tuple[list[str], np.ndarray]:
    """Return the sample names and an array (n_samples, n_features) with the columns in the model's order."""
    delimiter = "," if ".csv" in path.suffixes else "\t"
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        header, *rows = csv.reader(file, delimiter=delimiter)
    column_of = {name: column for column, name in enumerate(header)}
    missing = [name for name in feature_names if name not in column_of]
    if missing:
        sys.exit(
            f"{path} lacks {len(missing)} of the model's {len(feature_names)} features: {missing[:5]} ..."
        )
    columns = [column_of[name] for name in feature_names]
    return [row[0] for row in rows], np.array([[row[c] for c in columns] for row in rows], dtype="float32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, help="the exported .keras file")
    parser.add_argument("sidecar", type=Path, help="the JSON file beside it")
    parser.add_argument("data", type=Path, help="csv or tsv, may be gzipped")
    arguments = parser.parse_args()

    sidecar = json.loads(arguments.sidecar.read_text(encoding="utf-8"))
    samples, x = read_features(arguments.data, sidecar["feature_names"])
    model = keras.saving.load_model(arguments.model, safe_mode=True)
    probabilities = model.predict(x, verbose=0)

    assert "genokeras" not in sys.modules, "an exported model must load without GenoKeras"
    assert probabilities.shape == (len(samples), len(sidecar["classes"])), probabilities.shape
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5), "the rows must be probabilities"

    predicted = [sidecar["classes"][index] for index in probabilities.argmax(axis=1)]
    counts = ", ".join(f"{n} {name}" for name, n in sorted(Counter(predicted).items()))
    print(f"{arguments.model} predicts with Keras alone: {counts}")
    for sample, name, row in list(zip(samples, predicted, probabilities, strict=True))[:3]:
        print(f"  sample {sample}: {name} ({row.max():.3f})")


if __name__ == "__main__":
    main()
