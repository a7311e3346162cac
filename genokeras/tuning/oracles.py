"""KerasTuner's oracles asked and told in this process, with no tuner and no files left behind."""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import keras_tuner

from genokeras.errors import ParameterError, SearchError
from genokeras.support.checks import check_choice, check_whole
from genokeras.support.wording import listed
from genokeras.tuning.own_oracles import BayesianOracle, GridOracle, HyperbandOracle
from genokeras.tuning.selector import Candidate

ORACLES = ("bayesian", "grid", "hyperband", "random")
_OBJECTIVE = "score"
_TUNER = "tuner/"
_MAX_FAILURES = 10
# KerasTuner stops a search after some failures in a row, and leaves the oracle locked: never let it.
_NEVER = 10**9


@dataclass(frozen=True)
class Proposed:
    """What an oracle wants to know.

    Parameters
    ----------
    id : str
        Of the trial.
    values : dict
        Parameter values by name.
    epochs : int or None
        Epoch to train up to, where the oracle (Hyperband) has a say in it.
    initial_epoch : int
        Epochs that `continue_from` has had.
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
    """One of KerasTuner's oracles, over hyper-parameters as KerasTuner has them.

    A context manager: KerasTuner's oracles cannot do without a folder, which is temporary and goes with the ``with``.

    Parameters
    ----------
    space : keras_tuner.HyperParameters
        May be empty or grow as trials ask for more.
    oracle : {"bayesian", "grid", "hyperband", "random"}
    max_trials : int or None
        Trials at most; the oracle's own end may come before.
    seed : int
    max_epochs : int
        What Hyperband's best trials train for.

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
        if max_trials is not None:
            check_whole(max_trials, "max_trials")
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
        """The next trial, or None at the end of the search. Every trial asked for is to be told before the next."""
        if self._max_trials is not None and len(self._trials) >= self._max_trials:
            return None
        with _quiet():
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
        """The trial's own hyper-parameters, for a ``build(hp)``; what it adds to them joins the space."""
        return self._trials[proposed.id].hyperparameters

    def tell(self, proposed: Proposed, score: float) -> None:
        """What the trial came to: a score, higher is better; one that is not finite is a failure."""
        trial = self._trials[proposed.id]
        with _quiet():
            if math.isfinite(score):
                self._oracle.update_trial(trial.trial_id, {_OBJECTIVE: float(score)})
                trial.status = "COMPLETED"
            else:
                trial.status = "FAILED"
            self._oracle.end_trial(trial)


@final
class OracleSearch:
    """An oracle's search over lists of values of any kind.

    Parameters
    ----------
    space : mapping of str to sequence
        Values to choose from, by name: numbers, text, None, anything, mixed as well.
    oracle : {"bayesian", "grid", "hyperband", "random"}
    max_trials : int or None
        Trials at most; there never are more than the space holds, but for Hyperband, which returns to its best.
    seed : int
    start : mapping, optional
        Values of the parameters that are not searched; in every candidate.
    max_epochs : int
        What Hyperband's best trials train for.

    Attributes
    ----------
    results : list of (Proposed, Candidate)
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
        self.results: list[tuple[Proposed, Candidate]] = []
        check_choice(oracle, "oracle", ORACLES)

    @property
    def best(self) -> tuple[Proposed, Candidate]:
        """The result with the highest score; of two alike the longer trained, then the earlier.

        Raises
        ------
        SearchError
            If there is none.
        """
        scored = [result for result in self.results if result[1].ok]
        if not scored:
            told = listed((f"{p.values}: {c.error or 'no finite score'}" for p, c in self.results), 3)
            raise SearchError(f"no trial could be scored: {told or 'none was run'}.")
        return max(scored, key=lambda result: (result[1].score, result[0].epochs or 0))

    def run(
        self,
        evaluate: Callable[[Proposed], Candidate],
        *,
        should_stop: Callable[[], bool] = lambda: False,
        log: Callable[[str], None] | None = None,
    ) -> tuple[Proposed, Candidate]:
        """Try what the oracle proposes, and return the best.

        Parameters
        ----------
        evaluate : callable
            Takes a :class:`Proposed` and returns a :class:`Candidate`; what it raises loses that trial only.
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
        with OracleDriver(_indices(self._space), **self._arguments) as driver:
            while not should_stop() and (asked := driver.ask()) is not None:
                proposed = self._decoded(asked)
                if log is not None:
                    log(f"Pretraining: search values are {proposed.values}")
                candidate = _evaluated(evaluate, proposed)
                self.results.append((proposed, candidate))
                driver.tell(asked, candidate.score if candidate.ok else math.nan)
                if len(self.results) >= _MAX_FAILURES and not any(c.ok for _, c in self.results):
                    break
        return self.best

    def _decoded(self, asked: Proposed) -> Proposed:
        chosen = {name: self._space[name][index] for name, index in asked.values.items()}
        values = {**self._start, **chosen}
        return Proposed(asked.id, values, asked.epochs, asked.initial_epoch, asked.continue_from)


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


def _evaluated(evaluate: Callable[[Proposed], Candidate], proposed: Proposed) -> Candidate:
    try:
        return evaluate(proposed)
    except Exception as error:
        return Candidate(math.nan, error=f"{type(error).__name__}: {error}")


@contextmanager
def _quiet() -> Iterator[None]:
    """KerasTuner asks threads for their names the old way, and a Gaussian process of few points may not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
