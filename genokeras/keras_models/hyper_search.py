"""A search over a user's ``build(hp)``, by one of KerasTuner's oracles, with a time limit that holds."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any, Self, final

import keras
import keras_tuner
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from genokeras.errors import DataError, NotFittedError, ParameterError, SearchError
from genokeras.interrupt import Interruption
from genokeras.keras_models.hyper_trials import HyperTrial, TrialPlan, built_model, objective_direction
from genokeras.streams import Batches, check_rows, plain_arrays, take_rows
from genokeras.support.checks import check_choice, check_number, check_whole
from genokeras.support.console import standard_error
from genokeras.support.wording import counted, listed
from genokeras.tuning import ORACLES, Attempt, OracleDriver, Proposed
from genokeras.visible import visible

_logger = logging.getLogger(__name__)
_SAFETY = 1.25
_FIXED_COLUMNS = ("trial", "score", "epochs", "seconds", "status", "error")
Build = Callable[[keras_tuner.HyperParameters], Any]


@final
class HyperSearch:
    """Finds the hyper-parameters of a Keras model that is built by a function, and trains it.

    Parameters
    ----------
    build : callable or keras_tuner.HyperModel
        Takes ``hp`` (a ``keras_tuner.HyperParameters``) and returns a compiled ``keras.Model``. It is called once more than
        there are trials, to find out what it asks ``hp`` for.
    oracle : {"bayesian", "grid", "hyperband", "random"}, default="bayesian"
        What proposes: a Gaussian process, all combinations in turn, random ones that train longer the better they score
        (Li et al. 2018, "Hyperband"), or random ones.
    max_trials : int, default=100
        Trials at most; the time limit and the end of the search space may come before.
    epochs : int, default=30
        Epochs of each trial; with Hyperband those of its longest.
    batch_size : int, default=32
    validation_split : float, default=0.2
        Share of the rows that trials are scored on, where `fit` gets no validation data. Drawn at random; in the proportions
        of the classes where `y` holds class labels.
    seed : int, default=0
        Of the split, the oracle and, through ``keras.utils.set_random_seed``, every trial.
    objective : str or keras_tuner.Objective, default="val_loss"
        By its name in Keras' logs of an epoch. A trial's score is that of its best epoch.
    verbose : {0, 1}, default=1
        Whether to write a line per trial to standard error.

    Attributes
    ----------
    best_model_ : keras.Model
        That of the best trial, with the weights of its best epoch.
    best_values_ : dict
        Its hyper-parameters.
    best_score_ : float
        Its objective.
    history_ : pandas.DataFrame
        One row per trial, in order: ``trial``, a column per hyper-parameter, ``score`` (the objective), ``epochs``
        (trained in all), ``seconds``, ``status`` ("completed", "stopped" by the time limit, "failed"), ``error``.
    interrupted_ : bool
        Whether Ctrl-C, SIGTERM or SIGUSR1 ended the search.

    Examples
    --------
    >>> def build(hp):
    ...     model = keras.Sequential([keras.layers.Dense(hp.Int("units", 8, 64, step=8), "relu"), keras.layers.Dense(1)])
    ...     model.compile(keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log")), "mse")
    ...     return model
    >>> search = HyperSearch(build, oracle="random").fit(x, y, time_limit=60)  # doctest: +SKIP
    >>> search.best_model_.predict(x_new)  # doctest: +SKIP
    """

    def __init__(
        self,
        build: Callable[[keras_tuner.HyperParameters], keras.Model] | keras_tuner.HyperModel,
        oracle: str = "bayesian",
        *,
        max_trials: int = 100,
        epochs: int = 30,
        batch_size: int = 32,
        validation_split: float = 0.2,
        seed: int = 0,
        objective: str | keras_tuner.Objective = "val_loss",
        verbose: int = 1,
    ) -> None:
        self.build = build
        self.oracle = oracle
        self.max_trials = max_trials
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_split = validation_split
        self.seed = seed
        self.objective = objective
        self.verbose = verbose

    def fit(
        self, x: Any, y: Any, validation_data: tuple[Any, Any] | None = None, time_limit: float | None = 60
    ) -> Self:
        """Search, and keep the best model.

        Parameters
        ----------
        x : array, or list or dict of arrays, of shape (n_samples, ...)
        y : array, or list or dict of arrays, of shape (n_samples, ...)
        validation_data : tuple of (x, y), optional
            To score trials on; split off from `x` and `y` without it.
        time_limit : float or None, default=60
            Seconds. The current trial is stopped behind the batch that exceeds them, and none is begun that could not train
            for one epoch; at least one trial trains for at least one batch. None: until the trials are done.

        Returns
        -------
        self
            Also where Ctrl-C, SIGTERM or SIGUSR1 ended the search after a first trial.

        Raises
        ------
        ParameterError
            On a parameter out of range, an objective that Keras does not log, or a `build` that returns no compiled model.
        DataError
            If there are no data, or `x` and `y` have different numbers of rows.
        SearchError
            If every trial failed, or the first ten did.
        KeyboardInterrupt
            If Ctrl-C came before the end of the first trial; of SIGTERM and SIGUSR1 it is SystemExit (143).
        """
        start = time.monotonic()
        build = self._check(time_limit)
        train, held_out = self._data(x, y, validation_data)
        plan = TrialPlan(
            build,
            train,
            held_out,
            objective=self.objective if isinstance(self.objective, str) else self.objective.name,
            mode=objective_direction(self.objective),
            epochs=self.epochs,
            seed=self.seed,
            deadline=math.inf if time_limit is None else start + time_limit,
        )
        self._search(plan, self._space(build))
        return self

    def leaderboard(self) -> pd.DataFrame:
        """The trials that have a score, best first, with their rank.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        if not hasattr(self, "history_"):
            raise NotFittedError("this HyperSearch has no leaderboard yet: call fit first.")
        scored = self.history_[self.history_["status"] != "failed"]
        higher = objective_direction(self.objective) == "max"
        board = scored.sort_values("score", ascending=not higher, kind="stable").drop(columns="error")
        board.insert(0, "rank", range(1, len(board) + 1))
        return board.reset_index(drop=True)

    def _check(self, time_limit: float | None) -> Build:
        build = self.build.build if isinstance(self.build, keras_tuner.HyperModel) else self.build
        if not callable(build):
            raise ParameterError(f"build must be a function of hp, got {type(build).__name__}.")
        check_choice(self.oracle, "oracle", ORACLES)
        for name in ("max_trials", "epochs", "batch_size"):
            check_whole(getattr(self, name), name)
        check_number(self.validation_split, "validation_split", above=0, below=1)
        if time_limit is not None:
            check_number(time_limit, "time_limit (seconds)", above=0)
        return build

    def _data(self, x: Any, y: Any, validation_data: tuple[Any, Any] | None) -> tuple[Batches, Batches]:
        """What to train on and what to score on."""
        if y is None:
            raise DataError("HyperSearch needs targets: y is None. For an autoencoder pass x as y.")
        x, y = plain_arrays(x), plain_arrays(y)
        n = check_rows(x, y)
        if validation_data is None:
            train, held = split_rows(y, n, self.validation_split, self.seed)
            validation_data = take_rows(x, held), take_rows(y, held)
            x, y = take_rows(x, train), take_rows(y, train)
        elif not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
            raise ParameterError("validation_data must be a pair (x, y).")
        return (
            Batches(x, y, batch_size=self.batch_size, shuffle=True, seed=self.seed),
            Batches(*validation_data, batch_size=self.batch_size),
        )

    def _space(self, build: Build) -> keras_tuner.HyperParameters:
        """What `build` asks for when it gets defaults; where that fails, the trials report the error."""
        space = keras_tuner.HyperParameters()
        try:
            found = build(space)
        except Exception:
            _logger.info("build fails with the default values of its hyper-parameters", exc_info=True)
            return space
        built_model(found)
        return space

    def _search(self, plan: TrialPlan, space: keras_tuner.HyperParameters) -> None:
        """Run trials until the oracle, the trials or the time ends."""
        trials: list[HyperTrial] = []
        best: tuple[HyperTrial, keras.Model] | None = None
        interrupted = False
        sign = 1.0 if plan.mode == "max" else -1.0
        console = standard_error() if self.verbose else None

        def attempt(proposed: Proposed) -> Attempt:
            nonlocal best
            folder = driver.folder if self.oracle == "hyperband" else None
            trial, model = plan.run(proposed, driver.parameters(proposed), folder)
            if model is None:
                interruption.check()  # what a signal in native code leaves is no failure
            trials.append(trial)
            if model is not None and (best is None or sign * trial.score > sign * best[0].score):
                best = trial, model
            if console is not None:
                console.print(
                    visible(_line(len(trials), trial, plan.objective)), markup=False, soft_wrap=True
                )
            interruption.check()
            return Attempt(sign * trial.score, seconds=trial.seconds, error=trial.error)

        def no_time() -> bool:
            needed = [_SAFETY * trial.seconds_to_score for trial in trials if trial.status != "failed"]
            return bool(trials) and time.monotonic() + (needed or [0.0])[-1] >= plan.deadline

        with (
            Interruption() as interruption,
            OracleDriver(
                space, self.oracle, max_trials=self.max_trials, seed=self.seed, max_epochs=self.epochs
            ) as driver,
        ):
            try:
                for _ in driver.trials(attempt, no_time):
                    pass
            except KeyboardInterrupt:
                if best is None:
                    raise
                interrupted = True
                _logger.warning("Interrupted: the best of %s so far is kept", counted(len(trials), "trial"))
        if best is None:
            reasons = listed(dict.fromkeys(trial.error for trial in trials), 3)
            failed = f"all {counted(len(trials), 'trial')} failed" if trials else "there was no trial"
            raise SearchError(f"{failed}: {reasons or 'build asks hp for nothing that can be searched'}.")
        self.history_ = _table(trials)
        self.interrupted_ = interrupted
        self.best_model_ = best[1]
        self.best_score_ = best[0].score
        self.best_values_ = best[0].values


def split_rows(y: Any, n: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to score on.

    Parameters
    ----------
    y : array, or list or dict of arrays, of shape (n, ...)
        Stratified by the first one where it holds class labels, enough of each.
    n : int
    share : float
        To score on.
    seed : int

    Returns
    -------
    train, held_out : ndarray of int

    Raises
    ------
    DataError
        If one of them would be empty.
    """
    n_held = math.ceil(n * share)
    if n_held >= n:
        raise DataError(
            f"{counted(n, 'row')} cannot be split with validation_split={share:g}: pass validation_data."
        )
    labels = keras.tree.flatten(y)[0]
    classes = None
    if labels.ndim == 1 and labels.dtype.kind in "biuSUO":
        counts = np.unique(labels.astype(str), return_counts=True)[1]
        if counts.min() >= 2 and len(counts) <= min(n_held, n - n_held):
            classes = labels.astype(str)
    train, held = train_test_split(np.arange(n), test_size=n_held, random_state=seed, stratify=classes)
    return np.sort(train), np.sort(held)


def _table(trials: list[HyperTrial]) -> pd.DataFrame:
    names = dict.fromkeys(name for trial in trials for name in trial.values)
    rows = []
    for number, trial in enumerate(trials):
        values = {f"hp/{name}" if name in _FIXED_COLUMNS else name: trial.values.get(name) for name in names}
        fixed = {name: getattr(trial, name) for name in _FIXED_COLUMNS[1:]}
        rows.append({"trial": number, **values, **fixed})
    return pd.DataFrame(rows)


def _line(number: int, trial: HyperTrial, objective: str) -> str:
    values = listed(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in trial.values.items()
    )
    result = f"failed: {trial.error}" if trial.status == "failed" else f"{objective} {trial.score:.4f}"
    note = ", stopped by the time limit" if trial.status == "stopped" else ""
    return (
        f"Trial {number}: {values}: {result} ({counted(trial.epochs, 'epoch')}, {trial.seconds:.1f} s{note})"
    )
