"""Survival of samples of genes: how long until an event, of which some samples are only known to have lived longer."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
from keras import ops

from genokeras.data import Dataset
from genokeras.engine import Run
from genokeras.errors import ParameterError
from genokeras.estimators.content import Content, known_targets
from genokeras.estimators.exporting import export_run
from genokeras.estimators.survival_columns import brings_labels, survival_columns
from genokeras.estimators.survival_given import SurvivalGiven
from genokeras.estimators.survival_plots import SurvivalPlots
from genokeras.tasks.survival import Cox, Survival, calibrated_baseline
from genokeras.tasks.survival_times import EVENT, PLACE, TIME, between_ends


class GenomeSurvival(SurvivalPlots, SurvivalGiven):
    """Grows Keras networks that predict, from a matrix of samples x genes, how soon an event comes, and says honestly how well.

    Networks minimise the partial likelihood of Cox's model (ties as by Efron), each fold's over its own training rows; ridge-Cox models on every view
    of the genes come first, exactly solved. What is delivered is the ensemble of trials that predicts best out of fold, with an estimate that is
    corrected for having chosen the best of many. Folds have their share of the events each.

    Parameters
    ----------
    objective : str, optional
        "c_index" (Harrell's, the default), "c_index_uno", "integrated_brier", "auc" (time-dependent, the mean over times), "partial_likelihood";
        with ``task="hazard"`` "interval_likelihood" in place of the last.
    task : {"cox", "hazard"}, default="cox"
        "hazard": a network answers the hazard of each of up to ten intervals, which need not be proportional.
    path, time_limit, folds, searcher, max_trials, searcher_args, executor, executor_args, missing, drop_columns, random_state, resume, verbose, memory_limit, keep, callbacks, metrics,
    missing_blocks, layer, use_raw
        As in ``GenomeClassifier``.

    Attributes
    ----------
    baseline_ : Steps
        Cumulative hazard of a sample whose ``predict`` is 0 (Breslow, weighted by ``sample_weight``), from out-of-fold predictions; ``times`` and ``values``.
    columns_ : tuple of str
        What the times and the events were called.
    feature_names_in_ : ndarray of shape (n_features_in_,)
    n_features_in_ : int
    estimate_ : dict
        As in ``GenomeClassifier``; chance is a model that answers the same for all samples.
    model_ : keras.Model
        What is delivered: raw genes in, the logarithm of the relative hazard out (with ``task="hazard"`` the survival curve at the ends of the intervals).
    path_, n_trials_, growth_, stop_reason_, notes_
        As in ``GenomeClassifier``.

    References
    ----------
    Cox (1972), Journal of the Royal Statistical Society B 34: 187-220. Tsamardinos, Greasidou and Borboudakis (2018), Machine Learning 107: 1895-1922.

    Examples
    --------
    >>> from genokeras import GenomeSurvival
    >>> model = GenomeSurvival(path="runs/ovary", random_state=0)
    >>> model.fit("ovary.tsv", time="os_days", event="dead", time_limit=60)  # doctest: +SKIP
    >>> model.estimate_["value"], model.predict_survival_function("new.tsv", times=[365, 1095])  # doctest: +SKIP
    """

    default_task: ClassVar[str] = "cox"
    several_targets: ClassVar[bool] = True

    def fit(  # type: ignore[override]
        self,
        x: Any,
        y: Any = None,
        *,
        time: Any = None,
        event: Any = None,
        time_limit: float | None = None,
        groups: Any = None,
        batches: Any = None,
        adapt: str | None = None,
        sample_weight: Any = None,
        validation_data: tuple[Any, ...] | None = None,
    ) -> Self:
        """Search architectures and train them.

        Parameters
        ----------
        x : array-like, DataFrame, path and others
            As in ``GenomeClassifier``.
        y : structured array, DataFrame or array of two columns, or list of two column names, optional
            Times and events together, as scikit-survival has them, in place of the next two. The event is the column of bools, or of zeros and
            ones; a list names the time first.
        time : array-like of shape (n_samples,) or str
            When the event came or the follow-up ended, above 0; or the name of a column, or a file of values by sample.
        event : array-like of shape (n_samples,) or str
            1 or True where the event came, 0 or False where the follow-up ended without it.
        time_limit, groups, batches, adapt, sample_weight
            As in ``GenomeClassifier.fit``.
        validation_data : (x, y), optional
            Trials are scored on these samples in place of cross-validation.

        Raises
        ------
        DataError, ParameterError, RunFolderError, SearchError, OutOfMemoryError
            As ``GenomeClassifier.fit``; DataError also where nothing can be learnt from the times and events, with the reason.
        """
        held = validation_data
        if isinstance(held, tuple | list) and len(held) == 2:
            held = (held[0], survival_columns(held[1]))
        return super().fit(
            x,
            survival_columns(y, time, event, needed=not brings_labels(x)),
            time_limit=time_limit,
            groups=groups,
            batches=batches,
            adapt=adapt,
            sample_weight=sample_weight,
            validation_data=held,
        )

    def _take(self, run: Run) -> None:
        super()._take(run)
        found = run.out_of_fold()
        self.columns_ = self._survival.columns
        self.baseline_ = calibrated_baseline(run.task, found.targets, found.answers, found.weight)

    @property
    def _survival(self) -> Survival:
        task = self._fitted().task
        assert isinstance(task, Survival)
        return task

    def predict(self, x: Any) -> np.ndarray:
        """How soon the event is expected, ``(n_samples,)`` float64: the higher, the sooner.

        It is the logarithm of the hazard relative to that of ``baseline_``; with ``task="hazard"`` the mean cumulative hazard.

        Raises
        ------
        NotFittedError, DataError
        """
        return self._survival.survival_answers.risk(self._all_answers(x))

    def predict_survival_function(self, x: Any, times: Any = None) -> np.ndarray:
        """Probability that the event has not come by each of some times.

        Parameters
        ----------
        x : as in ``fit``
        times : array-like of shape (n_times,), optional
            Above 0, in any order; by default those of ``baseline_``. Curves stay as they are behind the last event of the training samples.

        Returns
        -------
        ndarray of shape (n_samples, n_times)
            Falling from left to right where the times grow.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If a time is not above 0.
        """
        at = self._times(times)
        answers = self._all_answers(x)
        return np.asarray(self._survival.survival_answers.curves(answers, self._places(at)), dtype="float64")

    def evaluate(  # type: ignore[override]
        self, x: Any, y: Any = None, *, time: Any = None, event: Any = None
    ) -> dict[str, float]:
        """Scores on samples that ``fit`` has not seen and whose times and events are known.

        Parameters
        ----------
        x : as in ``fit``
        y, time, event : as in ``fit``, optional
            By default the columns of ``x`` that are called as those of ``fit`` were.

        Returns
        -------
        dict
            ``c_index`` (Harrell), ``c_index_uno`` (up to the time that one of these samples in ten is followed beyond), ``integrated_brier`` and
            ``auc`` (the mean of the time-dependent ones, both up to the same time). Censoring is that of these samples, so give those of a study
            together: it need not be that of the training samples. NaN, with a warning, where none
            has the event.
        """
        answers, targets = self._scored(x, self._named(x, y, time, event), None)
        if not targets[:, EVENT].any():
            warnings.warn(
                f"none of these {len(targets)} samples has the event: there is nothing to score, all is NaN.",
                stacklevel=2,
            )
        return {
            name: self._survival.objective(name).value(answers, targets)
            for name in self._survival.evaluated()
        }

    def score(self, x: Any, y: Any = None, *, time: Any = None, event: Any = None) -> float:
        """Harrell's concordance index, as scikit-survival's estimators have it."""
        return self.evaluate(x, y, time=time, event=event)["c_index"]

    def export_keras_model(
        self, path: str | os.PathLike[str], format: str | None = None, times: Any = None
    ) -> Path:
        """Write the delivered model and, beside it, a JSON file with what it answers and reads.

        Parameters
        ----------
        path, format
            As in ``GenomeClassifier``.
        times : array-like of shape (n_times,), optional
            The exported model answers the probability of no event by these times, ``(n_samples, n_times)``; without, what ``model_`` answers.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        ParameterError, ExportError
            As in ``GenomeClassifier``; also if a time is not above 0.
        """
        run = self._fitted()
        about: dict[str, Any] = {
            "baseline": self.baseline_.to_dict(),
            "survival": run.folder.settings.get("survival"),
            "task": run.task.to_dict(),
        }
        if times is not None:
            at = self._times(times)
            run = replace(run, model=self._curve_model(at))
            names = [f"survival_{time:g}" for time in at]
            about |= {"answers": "survival", run.task.names_key: names, "times": at.tolist()}
        return export_run(run, path, format, self._examples, about)

    def _curve_model(self, times: np.ndarray) -> Any:
        """The delivered model with a head that turns its answers into survival at these times."""
        answers, places = keras.Input((self._survival.n_outputs,)), self._places(times)
        if isinstance(self._survival, Cox):
            curves = ops.exp(ops.exp(answers) * -places.astype("float32")[None])
        else:
            logs = ops.log(ops.maximum(answers, 1e-12))
            curves = ops.exp(ops.matmul(logs, between_ends(places, self._survival.n_outputs)))
        # Operations of a model that was read from a file may have the names that Keras gives to new ones: these are in a model of their own.
        head = keras.Model(answers, curves, name="survival_at_times")
        return keras.Model(self.model_.input, head(self.model_.outputs[0]), name="genokeras")

    def _places(self, times: np.ndarray) -> np.ndarray:
        """Times on the scale of the answers."""
        return self.baseline_.at(times) if isinstance(self._survival, Cox) else self._survival.places(times)

    def _times(self, times: Any) -> np.ndarray:
        self._fitted()
        if times is None:
            return np.asarray(self.baseline_.times)
        return checked_times(times)

    def _read(self, x: Any, y: Any, groups: Any = None, extra: Any = None, **how: Any) -> Content:
        return super()._read(x, survival_columns(y, needed=False), groups, extra, **how)

    def _samples(self, x: Any, y: Any = None, groups: Any = None) -> Dataset:
        return super()._samples(x, survival_columns(y, needed=False), groups)

    def _all_answers(self, x: Any) -> np.ndarray:
        self._fitted()
        return self._answers(self._read(x, None)).astype("float64")

    def _scored_content(
        self, content: Content, y: Any, predicted: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        run = self._fitted()
        targets = known_targets(run.task, content, y, run.names)
        if not predicted:
            return np.empty(0), targets
        targets[:, PLACE] = self._places(targets[:, TIME])
        return self._answers(content).astype("float64"), targets

    def _named(self, x: Any, y: Any, time: Any, event: Any) -> Any:
        columns = survival_columns(y, time, event, needed=False)
        return list(self._survival.columns) if columns is None and not brings_labels(x) else columns

    @classmethod
    def _restored(cls, run: Run) -> dict[str, Any]:
        return {**super()._restored(run), "task": run.task.kind}


def checked_times(times: Any) -> np.ndarray:
    """Times ``(n_times,)`` float64.

    Raises
    ------
    ParameterError
        If they are no numbers above 0.
    """
    try:
        found = np.atleast_1d(np.asarray(times, dtype="float64"))
    except (TypeError, ValueError):
        found = np.array([np.nan])
    if found.ndim != 1 or not len(found) or not (np.isfinite(found) & (found > 0)).all():
        raise ParameterError(
            f"times must be numbers above 0, in the unit of the training times: got {times!r}."
        )
    return found
