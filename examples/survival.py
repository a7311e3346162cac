"""Survival on made-up data: who lives longer, what it costs to say so honestly, and one plain Keras model of it.

    python examples/survival.py

Ten of 100 genes move the hazard, two of them together. The model is fitted under a time limit, judged on patients that it has not
seen, and exported as a Keras model that answers the probability of being alive after one and after three years.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd

import genokeras as gk

N, GENES, SECONDS, YEAR = 300, 100, 30, 365.25


def patients(n: int, seed: int) -> pd.DataFrame:
    """Genes, days until death or the end of the follow-up, and whether it was death."""
    rng = np.random.default_rng(seed)
    genes = rng.normal(size=(n, GENES)).astype("float32")
    log_hazard = 0.5 * genes[:, :8].sum(axis=1) / np.sqrt(2) + 0.8 * genes[:, 8] * genes[:, 9]
    death = 900 * rng.exponential(np.exp(-log_hazard))
    end = rng.uniform(300, 2500, size=n)
    frame = pd.DataFrame(genes, columns=[f"GENE{i}" for i in range(GENES)])
    return frame.assign(os_days=np.minimum(death, end) + 1, dead=(death <= end).astype(int))


def main() -> None:
    """Fit, judge, report and export."""
    folder = Path(tempfile.mkdtemp(prefix="survival-"))
    training, later = patients(N, seed=0), patients(400, seed=1)
    model = gk.GenomeSurvival(folder / "run", random_state=0)
    model.fit(training, time="os_days", event="dead", time_limit=SECONDS)
    own = model.estimate_
    print(
        f"C-index to expect {own['value']:.3f}, 95 % {own['interval'][0]:.3f} to {own['interval'][1]:.3f}; ",
        end="",
    )
    print(f"ridge-Cox alone {own['linear_baseline']:.3f}")
    print(
        "on patients it has not seen:",
        {name: round(value, 3) for name, value in model.evaluate(later).items()},
    )

    times = [YEAR, 3 * YEAR]
    curves = model.predict_survival_function(later, times)
    print("alive after one and three years, the first three patients:", curves[:3].round(2).tolist())
    exported = model.export_keras_model(folder / "survival.keras", times=times)
    plain = keras.saving.load_model(exported, compile=False)
    genes = later[list(model.feature_names_in_)].to_numpy("float32")
    print(
        "the exported model says the same:", np.allclose(plain.predict(genes, verbose=0), curves, atol=1e-4)
    )
    print("report with Kaplan-Meier curves of the risk thirds:", model.report(folder / "report.html"))


if __name__ == "__main__":
    main()
