"""KerasTuner's oracles driven in this process, with no tuner and no files left behind."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import keras_tuner

from genokeras.errors import ParameterError, SearchError
from genokeras.support.checks import check_choice, check_whole
from genokeras.support.wording import listed
from genokeras.tuning.attempts import Attempt
from genokeras.tuning.custom_oracles import BayesianOracle, GridOracle, HyperbandOracle

ORACLES = ("bayesian", "grid", "hyperband", "random")
_OBJECTIVE = "score"
_TUNER = "tuner/"
_MAX_FAILURES = 10
# KerasTuner stops a search after some failures in a row, and leaves the oracle locked: never let it.
_NEVER = 10**9


@dataclass(frozen=True)
class Proposed:
    """A trial that an oracle proposes.

    Parameters
    ----------
    id : str
        Of the trial.
    values : dict
        Parameter values by name.
    epochs : int or None
        Epoch to train up to, where the oracle (Hyperband) decides it.
    initial_epoch : int
        Epochs that `continue_from` was trained for.
    continue_from : str or None
        The earlier trial whose weights to start from.
    """

    id: str
    values: dict[str, Any]
    epochs: int | None = None
    initial_epoch: int = 0
    continue_from: str | None = None


@final
class OracleDriver:
    """One of KerasTuner's oracles, over KerasTuner's hyper-parameters.

    A context manager: KerasTuner's oracles need a folder, which is temporary and removed at the end of the ``with``.

    Parameters
    ----------
    space : keras_tuner.HyperParameters
        May be empty or grow as trials ask for more.
    oracle : {"bayesian", "grid", "hyperband", "random"}
    max_trials : int or None
        Trials at most; the oracle may end before.
    seed : int
    max_epochs : int
        Of Hyperband's longest trials.

    Raises
    ------
    ParameterError
        On an unknown oracle, or numbers out of range.
    """

    def __init__(
        self,
        space: keras_tuner.HyperParameters,
        oracle: str = "bayesian",
        *,
        max_trials: int | None = None,
        seed: int = 0,
        max_epochs: int = 30,
    ) -> None:
        check_choice(oracle, "oracle", ORACLES)
        check_whole(1 if max_trials is None else max_trials, "max_trials")
        check_whole(max_epochs, "max_epochs")
        check_whole(seed, "seed", 0)
        self._max_trials = max_trials
        self._oracle = _make_oracle(oracle, space, max_trials, seed, max_epochs)
        self._trials: dict[str, Any] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="genokeras-oracle-")
        self._oracle._set_project_dir(self._folder.name, "oracle")
        self._oracle.verbose = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary folder."""
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """The temporary folder, for what has to be kept from trial to trial."""
        return Path(self._folder.name)

    def ask(self) -> Proposed | None:
        """The next trial, or None at the end of the search. Its score must be passed to :meth:`tell` before the next."""
        if self._max_trials is not None and len(self._trials) >= self._max_trials:
            return None
        with quiet():
            trial = self._oracle.create_trial("genokeras")
        if trial.status != "RUNNING":
            return None
        self._trials[trial.trial_id] = trial
        given = trial.hyperparameters.values
        return Proposed(
            trial.trial_id,
            {name: value for name, value in given.items() if not name.startswith(_TUNER)},
            given.get(_TUNER + "epochs"),
            given.get(_TUNER + "initial_epoch", 0),
            given.get(_TUNER + "trial_id"),
        )

    def parameters(self, proposed: Proposed) -> keras_tuner.HyperParameters:
        """The trial's hyper-parameters, for a ``build(hp)``; what that adds to them joins the space."""
        return self._trials[proposed.id].hyperparameters

    def tell(self, proposed: Proposed, score: float) -> None:
        """Report a trial's score: higher is better, one that is not finite is a failure."""
        trial = self._trials[proposed.id]
        with quiet():
            if math.isfinite(score):
                self._oracle.update_trial(trial.trial_id, {_OBJECTIVE: float(score)})
                trial.status = "COMPLETED"
            else:
                trial.status = "FAILED"
            self._oracle.end_trial(trial)

    def trials(
        self, evaluate: Callable[[Proposed], Attempt], should_stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Proposed, Attempt]]:
        """Try what the oracle proposes, one trial after the other, and report it to the oracle.

        Parameters
        ----------
        evaluate : callable
            Takes a :class:`Proposed` and returns an :class:`Attempt`.
        should_stop : callable
            Asked before each trial.

        Yields
        ------
        tuple of (Proposed, Attempt)
            Until the oracle ends, `should_stop` returns True, or the first ten trials have all failed.
        """
        n_failed, any_ok = 0, False
        while not should_stop() and (proposed := self.ask()) is not None:
            attempt = evaluate(proposed)
            self.tell(proposed, attempt.score if attempt.ok else math.nan)
            n_failed, any_ok = n_failed + (not attempt.ok), any_ok or attempt.ok
            yield proposed, attempt
            if n_failed >= _MAX_FAILURES and not any_ok:
                return


@final
class OracleSearch:
    """An oracle's search over lists of values of any kind.

    Parameters
    ----------
    space : mapping of str to sequence
        Values to choose from, by name: numbers, text, None, anything, mixed as well.
    oracle : {"bayesian", "grid", "hyperband", "random"}
    max_trials : int or None
        Trials at most; never more than the space holds, except with Hyperband, which trains its best settings again.
    seed : int
    start : mapping, optional
        Values of the parameters that are not searched; in every candidate.
    max_epochs : int
        Of Hyperband's longest trials.

    Attributes
    ----------
    results : list of (Proposed, Attempt)
        What was tried, in order.
    """

    def __init__(
        self,
        space: Mapping[str, Sequence[Any]],
        oracle: str = "bayesian",
        *,
        max_trials: int | None = 20,
        seed: int = 0,
        start: Mapping[str, Any] | None = None,
        max_epochs: int = 30,
    ) -> None:
        self._space = {name: list(values) for name, values in space.items()}
        empty = [name for name, values in self._space.items() if not values]
        if empty or not self._space:
            raise ParameterError(f"the space to search is empty{': ' if empty else ''}{listed(empty)}.")
        self._start = dict(start or {})
        self._arguments: dict[str, Any] = {
            "oracle": oracle,
            "max_trials": max_trials,
            "seed": seed,
            "max_epochs": max_epochs,
        }
        self.results: list[tuple[Proposed, Attempt]] = []
        check_choice(oracle, "oracle", ORACLES)

    @property
    def best(self) -> tuple[Proposed, Attempt]:
        """The result with the highest score; of two equal ones the longer trained, then the earlier.

        Raises
        ------
        SearchError
            If there is none.
        """
        scored = [result for result in self.results if result[1].ok]
        if not scored:
            reasons = listed((f"{p.values}: {attempt.why_not}" for p, attempt in self.results), 3)
            raise SearchError(f"no trial could be scored: {reasons or 'none was run'}.")
        return max(scored, key=lambda result: (result[1].score, result[0].epochs or 0))

    def run(
        self,
        evaluate: Callable[[Proposed], Attempt],
        *,
        should_stop: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] | None = None,
    ) -> tuple[Proposed, Attempt]:
        """Try what the oracle proposes, and return the best.

        Parameters
        ----------
        evaluate : callable
            Takes a :class:`Proposed` and returns an :class:`Attempt`; what it raises loses that trial only.
        should_stop : callable
            Asked before each trial.
        log : callable, optional
            Takes a line per trial.

        Raises
        ------
        SearchError
            If every trial failed, or the first ten did.
        """
        self.results.clear()

        def attempt(asked: Proposed) -> Attempt:
            proposed = self._decoded(asked)
            if log is not None:
                log(f"Pretraining: search values are {proposed.values}")
            try:
                return evaluate(proposed)
            except Exception as error:
                return Attempt(math.nan, error=f"{type(error).__name__}: {error}")

        with OracleDriver(_indices(self._space), **self._arguments) as driver:
            for asked, found in driver.trials(attempt, should_stop):
                self.results.append((self._decoded(asked), found))
        return self.best

    def _decoded(self, asked: Proposed) -> Proposed:
        chosen = {name: self._space[name][index] for name, index in asked.values.items()}
        return replace(asked, values={**self._start, **chosen})


def _make_oracle(
    name: str, space: keras_tuner.HyperParameters, max_trials: int | None, seed: int, max_epochs: int
) -> keras_tuner.Oracle:
    common: dict[str, Any] = {
        "objective": keras_tuner.Objective(_OBJECTIVE, "max"),
        "hyperparameters": space,
        "seed": seed + 1,  # a seed of 0 is none to KerasTuner
        "max_consecutive_failed_trials": _NEVER,
    }
    # Without a parameter there is one trial to make, which Hyperband would not make.
    if name == "hyperband" and space.space:
        return HyperbandOracle(max_trials, max_epochs=max_epochs, **common)
    kinds = {"bayesian": BayesianOracle, "grid": GridOracle}
    return kinds.get(name, keras_tuner.oracles.RandomSearchOracle)(max_trials=None, **common)


def _indices(space: Mapping[str, Sequence[Any]]) -> keras_tuner.HyperParameters:
    """Choices among the places in the lists, because KerasTuner takes scalars of one type only."""
    parameters = keras_tuner.HyperParameters()
    for name, values in space.items():
        parameters.Choice(name, list(range(len(values))))
    return parameters


@contextmanager
def quiet() -> Iterator[None]:
    """KerasTuner uses a deprecated name of threads, and a Gaussian process of few points may not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
