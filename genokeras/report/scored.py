"""Samples that a report is given with their targets: scored with the delivered model, as an external validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.data import Dataset, ImageData, SequenceData, TextData
from genokeras.encoders import Rows, take
from genokeras.encoders.inference import checked_answers, predict
from genokeras.engine.run import MODEL_FILE, Run
from genokeras.errors import DataError
from genokeras.explain import training_rows
from genokeras.explain.runs import table_of
from genokeras.searchers import FEWEST_GROUPS
from genokeras.searchers.estimate import row_counts
from genokeras.support.digest import hex_digest
from genokeras.support.keras_files import load_keras
from genokeras.support.precision import single_precision
from genokeras.tasks.objectives import Objective
from genokeras.tasks.rows import resample_counts
from genokeras.tasks.survival import Cox, Survival, calibrated_baseline
from genokeras.tasks.survival_times import PLACE, TIME
from genokeras.tasks.threshold import RATES, Threshold

Content = Dataset | SequenceData | ImageData | TextData
_RESAMPLES, _FEWEST_RESAMPLES, _MOST_NUMBERS = 1000, 100, 20_000_000
_MOST_COMPARED = 2000
_SAME = 1e-4  # squared distance of a sample to its own training row, as a share of its distance to the mean


@dataclass(frozen=True)
class Score:
    """One metric of some samples.

    Attributes
    ----------
    metric : str
    value : float
    low, high : float
        95 % percentile interval over resamples of the samples, every class keeping its size, or of whole groups; NaN where no resample
        has a value, or there are fewer than five groups.
    greater_is_better : bool
    """

    metric: str
    value: float
    low: float
    high: float
    greater_is_better: bool


@dataclass(frozen=True, eq=False)
class ScoredSamples:
    """Samples and what the delivered model says of them.

    Attributes
    ----------
    targets : numpy.ndarray
        ``(n, ...)`` as the task has them: class numbers, or numbers.
    answers : numpy.ndarray
        ``(n, n_outputs)`` float64.
    ids : tuple of str
    words : str
        Which samples these are.
    trained_on : tuple of str
        Ids of those that are training samples, by their values.
    groups : numpy.ndarray or None
        ``(n,)`` which samples belong together; None where all are independent.
    """

    targets: np.ndarray
    answers: np.ndarray
    ids: tuple[str, ...]
    words: str
    trained_on: tuple[str, ...] = ()
    groups: np.ndarray | None = None

    @property
    def n_units(self) -> int:
        """Groups, or samples where all are independent."""
        return len(self.ids) if self.groups is None else len(np.unique(self.groups))


@single_precision()
def score_samples(run: Run, content: Content, targets: np.ndarray) -> ScoredSamples:
    """What the delivered model says of samples whose targets are known.

    Parameters
    ----------
    run : Run
        With its samples; its model is read from the folder where it has none.
    content : Dataset, SequenceData, ImageData or TextData
        Of a table, genes in the run's order. Groups that it has are kept.
    targets : numpy.ndarray
        As the run's task reads them.

    Raises
    ------
    DataError
        If the model cannot read them, values are missing that it does not fill in, or some answers are not finite.
    """
    x = _filled_table(run, content) if isinstance(content, Dataset) else None
    ids = content.sample_ids if isinstance(content, Dataset) else content.names
    model = load_keras(run.folder.path / MODEL_FILE) if run.model is None else run.model
    encoder = run.problem.encoder.reader
    rows = encoder.rows(content)
    answers = checked_answers(predict(model, encoder, rows), ids)
    known = np.array(targets)
    if isinstance(run.task, Survival):
        known[:, PLACE] = _places(run, run.task, known[:, TIME])
    same = tuple(ids[i] for i in (_trained_rows(run, rows) if x is None else _trained_on(run, x)))
    words = f"the {len(ids)} samples that were given"
    return ScoredSamples(known, answers.astype("float64"), ids, words, same, content.groups)


def _filled_table(run: Run, dataset: Dataset) -> np.ndarray:
    """``(n, p)`` float32."""
    x = dataset.x if isinstance(dataset.x, np.ndarray) else dataset.x.toarray()
    x = np.asarray(x, dtype="float32")
    gaps = np.flatnonzero(np.isnan(x).any(axis=1))
    if len(gaps) and table_of(run.problem).medians is None:
        raise DataError(
            f"values are missing in {len(gaps)} of {len(x)} samples, and this model fills in none: fit(missing='median') makes one "
            "that does"
        )
    return x


def _places(run: Run, task: Survival, times: np.ndarray) -> np.ndarray:
    if not isinstance(task, Cox):
        return task.places(times)
    own = run.out_of_fold()
    return calibrated_baseline(task, own.targets, own.answers, own.weight).at(times)


def _trained_on(run: Run, x: np.ndarray) -> np.ndarray:
    """Numbers of the rows that are training rows."""
    problem, encoder = run.problem, table_of(run.problem)
    if "all" not in encoder.spaces or len(x) > _MOST_COMPARED:
        return np.empty(0, dtype=int)
    rows = training_rows(problem, 0, _MOST_COMPARED).astype("float64")
    filled = x if encoder.medians is None else np.where(np.isnan(x), encoder.medians, x)
    mean, sd = rows.mean(axis=0), rows.std(axis=0)
    varies = sd > 1e-6 * np.maximum(np.abs(mean), 1e-6)
    if varies.sum() < 2:
        return np.empty(0, dtype=int)
    a, b = ((values[:, varies] - mean[varies]) / sd[varies] for values in (filled.astype("float64"), rows))
    size = (a**2).sum(axis=1)
    apart = size[:, None] + (b**2).sum(axis=1)[None] - 2.0 * a @ b.T
    return np.flatnonzero(apart.min(axis=1) <= _SAME * np.maximum(size, 1e-12))


def _trained_rows(run: Run, rows: Rows) -> np.ndarray:
    """The same of sequences, images and texts, whose values are no measurements: those that are equal to the last letter or pixel."""
    problem = run.problem
    held = {name: problem.rows[name] for name in rows if name in problem.rows}
    if {name: values.dtype for name, values in held.items()} != {
        name: values.dtype for name, values in rows.items()
    }:
        return np.empty(0, dtype=int)
    trained = take(held, np.flatnonzero(problem.train.any(axis=0)))
    known = set(_row_digests(trained))
    return np.flatnonzero([digest in known for digest in _row_digests(rows)])


def _row_digests(rows: Rows) -> list[str]:
    return [
        hex_digest(*(str(part) if isinstance(part, str) else np.asarray(part) for part in row))
        for row in zip(*(rows[name] for name in sorted(rows)), strict=True)
    ]


def scores_of(run: Run, samples: ScoredSamples, seed: int = 0) -> list[Score]:
    """Every metric that ``evaluate`` gives, with its interval."""
    return [
        _score(run.task.objective(name), samples, np.random.default_rng([seed, 7]))
        for name in run.task.evaluated()
    ]


def chances_of(run: Run, samples: ScoredSamples) -> dict[str, float]:
    """What the best constant answer of the training samples scores on these samples, by metric.

    It is the class shares in training, the mean, or the survival of all training samples.
    """
    task, kind, problem = run.task, run.task.answers, run.problem
    trained = problem.train.any(axis=0)
    learnt = kind.as_targets(problem.targets[trained])
    constant = kind.constant(learnt, samples.answers.shape[1], problem.sample_weight[trained])[0]
    answers, known = np.broadcast_to(constant, samples.answers.shape), np.array(samples.targets)
    if isinstance(task, Survival):
        # Times of the delivered model are on the scale of its own hazards; those of a constant answer are on that of all samples.
        known[:, PLACE] = task.places(known[:, TIME])
    return {name: task.objective(name).value(answers, known) for name in task.evaluated()}


def rates_of(threshold: Threshold, samples: ScoredSamples, seed: int = 0) -> list[Score]:
    """Sensitivity and specificity that a threshold reaches, each with its interval, as ``evaluate`` gives them."""
    codes, rng = samples.targets, np.random.default_rng([seed, 7])
    right, positive = threshold.decided(samples.answers) == codes, codes == threshold.positive
    counts = _counts(samples, codes, rng)
    found = []
    for name, side in zip(RATES, (positive, ~positive), strict=True):
        if side.any():
            hits, drawn = counts[:, side] @ right[side], counts[:, side].sum(axis=1)
            low, high = _limits(samples, hits[drawn > 0] / drawn[drawn > 0])
            found.append(Score(name, float(right[side].mean()), low, high, True))
    return found


def _resamples(samples: ScoredSamples) -> int:
    return int(np.clip(_MOST_NUMBERS // max(samples.answers.size, 1), _FEWEST_RESAMPLES, _RESAMPLES))


def _counts(samples: ScoredSamples, strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``(n_resamples, n)`` how often each resample draws each sample; those of a group are drawn together."""
    n = _resamples(samples)
    if samples.groups is None:
        return resample_counts(strata, n, rng)
    return row_counts(strata, samples.groups, n, rng)


def _limits(samples: ScoredSamples, values: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of what resamples score."""
    values = values[np.isfinite(values)]
    if not len(values) or samples.n_units < (2 if samples.groups is None else FEWEST_GROUPS):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _score(objective: Objective, samples: ScoredSamples, rng: np.random.Generator) -> Score:
    value = objective.value(samples.answers, samples.targets)
    strata = objective.answers.strata(objective.answers.as_targets(samples.targets))
    values = objective.values(samples.answers, samples.targets, _counts(samples, strata, rng))
    return Score(objective.name, value, *_limits(samples, values), objective.greater_is_better)
