"""GenoKeras and its peers behind one function each: fit on training rows, predict, say what they expected."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from genokeras import GenomeClassifier

SEED = 0


@dataclass(frozen=True)
class Fitted:
    """A fitted tool: ``predict(x) -> (n, k)`` probabilities, its own estimates by metric, and counts worth keeping."""

    predict: Callable[[np.ndarray], np.ndarray]
    estimate: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def fit_genokeras(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray | None, seconds: float, **arguments: Any
) -> Fitted:
    """GenoKeras with its defaults, or with ``arguments`` for ablations."""
    folder = tempfile.mkdtemp(prefix="quality-")
    clf = GenomeClassifier(f"{folder}/run", time_limit=seconds, random_state=SEED, verbose=0, **arguments)
    clf.fit(x, y, groups=groups)
    found = {clf.estimate_["metric"]: clf.estimate_, **clf.estimate_["also"]}
    return Fitted(
        predict=clf.predict_proba,
        estimate={name: entry["value"] for name, entry in found.items()},
        intervals={name: entry["interval"] for name, entry in found.items()},
        facts={
            "trials": clf.n_trials_,
            "networks": clf.n_trials_ * clf._run.problem.n_folds,
            "chance": {name: entry["chance"] for name, entry in found.items()},
        },
    )


def _scikit(make: Callable[[int], Any]) -> Callable[..., Fitted]:
    def fit(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None, seconds: float) -> Fitted:
        model = make(int(np.bincount(y).min())).fit(x, y)
        return Fitted(model.predict_proba)

    return fit


def logistic(smallest_class: int) -> Any:
    """L2 logistic regression in row space (a full PCA of standardised genes), C by inner cross-validation."""
    inner = max(2, min(5, smallest_class))
    chosen = LogisticRegressionCV(
        Cs=np.logspace(-5, 1, 13),
        cv=inner,
        scoring="neg_log_loss",
        max_iter=2000,
        use_legacy_attributes=False,
        l1_ratios=(0,),
    )
    return make_pipeline(StandardScaler(), PCA(random_state=SEED), chosen)


TOOLS: dict[str, Callable[..., Fitted]] = {
    "genokeras": fit_genokeras,
    "majority": _scikit(lambda _: DummyClassifier(strategy="prior")),
    "logistic": _scikit(logistic),
    "svm": _scikit(
        lambda _: make_pipeline(
            StandardScaler(), SVC(kernel="linear", C=1.0, probability=True, random_state=SEED)
        )
    ),
    "forest": _scikit(lambda _: RandomForestClassifier(1000, n_jobs=-1, random_state=SEED)),
}
# Every class counts alike, as balanced accuracy has it; run where they are asked for.
BALANCED: dict[str, Callable[..., Fitted]] = {
    "genokeras_balanced": partial(fit_genokeras, class_weight="balanced"),
    "svm_balanced": _scikit(
        lambda _: make_pipeline(
            StandardScaler(),
            SVC(kernel="linear", C=1.0, probability=True, class_weight="balanced", random_state=SEED),
        )
    ),
}
