"""KerasTuner's oracles as searchers: they choose among the templates and their hyper-parameters."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, final

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial
from threadpoolctl import threadpool_limits

from genokeras.errors import ParameterError
from genokeras.graph import FATHERS
from genokeras.searchers import History, HyperSpace, Proposal, Searcher, TrialResult
from genokeras.support.wording import did_you_mean, listed
from genokeras.tuning.custom_oracles import BayesianOracle
from genokeras.tuning.morph_oracle import MorphOracle
from genokeras.tuning.oracles import quiet
from genokeras.tuning.template_space import (
    active_values,
    check_fathers,
    check_template_space,
    template_graph,
    template_hyper,
    template_space,
    template_values,
)

# As often as KerasTuner itself draws again before it takes a space for exhausted.
_COLLISIONS = 20
_OBJECTIVES = ("default_objective", "val_loss", "loss", "score")
_OF_SEARCHER = ("fathers", "space")


@final
class OracleSearcher(Searcher):
    """What one of KerasTuner's oracles proposes: a template, its size, and its hyper-parameters.

    The oracle that was given stays as it is. Each ask works on a copy, which gets the history as KerasTuner gives an oracle the
    trials of a project that it reloads: so a resumed search goes on alike. Several proposals of one ask are to the oracle what
    several workers have in progress. Random numbers are those of the search, and the oracle's own seed is not used.
    ``BayesianOptimizationOracle`` is replaced by the same method in a form that proposes nothing twice and takes milliseconds.

    Parameters
    ----------
    oracle : keras_tuner.Oracle
        Without trials. Its ``hyperparameters`` may narrow or widen what it chooses from: ``father``, ``layers``, ``units``,
        ``blocks``, ``activation``, ``dropout``, ``learning_rate``, ``weight_decay``, ``view``.
    n_outputs : int
        Number of logits.
    fathers : sequence of str
        Names in `genokeras.graph.FATHERS`.
    space : HyperSpace, optional

    Raises
    ------
    ParameterError
        If it is no oracle, has trials, another objective than the loss, hyper-parameters that no template reads, or decides how
        long a trial trains.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        n_outputs: int,
        *,
        fathers: Sequence[str] = tuple(FATHERS),
        space: HyperSpace | None = None,
    ) -> None:
        self.fathers = check_fathers(fathers)
        self.space = HyperSpace() if space is None else space
        self.n_outputs = n_outputs
        _check_oracle(oracle)
        check_template_space(oracle.hyperparameters, self.fathers, self.space.views)
        offered = template_space(self.fathers, self.space)
        self._defaults = {hp.name: hp.default for hp in offered.space}
        self._oracle = _prepared(oracle, offered)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        seed = int(rng.integers(1, 2**31 - 1))
        finished = self._finished(history)
        left = n
        if self._oracle.max_trials is not None:
            left = min(n, self._oracle.max_trials - len(finished))
        tried = {trial.proposal.fingerprint(): trial for trial in history}
        chosen: dict[str, Proposal] = {}
        with quiet(), threadpool_limits(1, user_api="blas"):
            oracle = self._restored(finished, seed)
            for _ in range(len(history) + n + _COLLISIONS):
                if len(chosen) >= left or (trial := _next_trial(oracle)) is None:
                    break
                proposal = self._proposal(trial, seed)
                fingerprint = proposal.fingerprint()
                if fingerprint in tried:
                    _finish(oracle, trial, tried[fingerprint])
                else:
                    chosen.setdefault(fingerprint, proposal)
        return list(chosen.values())

    def _proposal(self, trial: Trial, seed: int) -> Proposal:
        values = self._defaults | trial.hyperparameters.values
        origin = f"oracle:{type(self._oracle).__name__}"
        return Proposal(
            template_graph(values, self.n_outputs), template_hyper(values), seed=seed, origin=origin
        )

    def _finished(self, history: History) -> list[tuple[dict[str, Any], TrialResult]]:
        """Trials that the oracle's space can express; those of another search may be none of them."""
        found = []
        for result in history:
            values = template_values(result.proposal.graph, result.proposal.hyper)
            active = None if values is None else active_values(self._oracle.hyperparameters, values)
            if active is not None:
                found.append((active, result))
        return found

    def _restored(
        self, finished: Sequence[tuple[dict[str, Any], TrialResult]], seed: int
    ) -> keras_tuner.Oracle:
        """A copy of the oracle with these trials, as KerasTuner reloads one."""
        oracle = copy.deepcopy(self._oracle)
        if _is_grid(oracle):
            # It goes through its grid from the start each time, because KerasTuner reloads no grid.
            finished = ()
        trials = [
            _with_result(_trial(oracle, number, values), oracle, result)
            for number, (values, result) in enumerate(finished)
        ]
        oracle.trials = {trial.trial_id: trial for trial in trials}
        hashes = {t.trial_id: oracle._compute_values_hash(t.hyperparameters.values) for t in trials}
        state = {
            "ongoing_trials": {},
            "start_order": list(oracle.trials),
            "end_order": list(oracle.trials),
            "run_times": dict.fromkeys(oracle.trials, 1),
            "retry_queue": [],
            "seed": seed,
            "seed_state": seed,
            "tried_so_far": list(hashes.values()),
            "id_to_hash": hashes,
        }
        oracle.set_state(oracle.get_state() | state)
        if isinstance(getattr(oracle, "_random_state", None), np.random.RandomState):
            oracle._random_state = np.random.RandomState(seed)
        return oracle


def is_oracle(searcher: Any) -> bool:
    """Whether a searcher is one of KerasTuner's oracles or tuners, an instance or a class."""
    kind = searcher if inspect.isclass(searcher) else type(searcher)
    return issubclass(kind, (keras_tuner.Oracle, keras_tuner.Tuner))


def make_oracle_searcher(
    oracle: Any, arguments: Mapping[str, Any], n_outputs: int, views: Sequence[str]
) -> OracleSearcher:
    """The searcher of an oracle, or of a class of oracles and what goes to its constructor.

    Parameters
    ----------
    oracle : keras_tuner.Oracle or type
    arguments : mapping
        Of the constructor, and ``fathers`` and ``space``.
    n_outputs : int
    views : sequence of str
        Views that the data allow.

    Raises
    ------
    ParameterError
        If it cannot be made, or does not fit.
    """
    kind = oracle if inspect.isclass(oracle) else type(oracle)
    if issubclass(kind, keras_tuner.Tuner):
        raise ParameterError(
            f"{kind.__name__} is a tuner of KerasTuner, which trains by itself: pass an oracle (keras_tuner.oracles)."
        )
    ours = {name: value for name, value in arguments.items() if name in _OF_SEARCHER}
    space = ours.setdefault("space", HyperSpace(views=tuple(views)))
    unknown = [view for view in getattr(space, "views", ()) if view not in views]
    if not isinstance(space, HyperSpace) or unknown:
        got = f"the views {listed(unknown)}" if unknown else repr(space)
        raise ParameterError(f"space must be a HyperSpace over the views {listed(views)}, got {got}.")
    if inspect.isclass(oracle):
        _check_kind(kind)
        oracle = _constructed(kind, {n: v for n, v in arguments.items() if n not in ours})
    return OracleSearcher(oracle, n_outputs, **ours)


def _constructed(kind: type[keras_tuner.Oracle], arguments: Mapping[str, Any]) -> keras_tuner.Oracle:
    known = inspect.signature(kind).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for name in arguments:
        if name not in known and not takes_all:
            names = [*known, *_OF_SEARCHER]
            raise ParameterError(
                f"unknown searcher_args {name!r} for {kind.__name__}.{did_you_mean(name, names)} Known: {listed(names, 20)}."
            )
    # KerasTuner would end after ten trials; the seed keeps it from drawing one from Python's global generator.
    usual: dict[str, Any] = {"max_trials": None, "seed": 1}
    offered = {name: value for name, value in usual.items() if name in known}
    try:
        return kind(**offered | dict(arguments))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{kind.__name__} cannot be made of searcher_args: {error}") from error


def _check_kind(kind: type) -> None:
    if issubclass(kind, keras_tuner.oracles.HyperbandOracle):
        raise ParameterError(
            f"{kind.__name__} decides how long a trial trains, but trials on tables all train to their best step: take "
            "BayesianOptimizationOracle, RandomSearchOracle or GridSearchOracle."
        )
    if issubclass(kind, MorphOracle):
        raise ParameterError(
            'MorphOracle is this package\'s own search for KerasTuner: take searcher="bayesian".'
        )


def _check_oracle(oracle: Any) -> None:
    if not isinstance(oracle, keras_tuner.Oracle):
        raise ParameterError(f"an oracle of KerasTuner is needed, got {oracle!r}.")
    _check_kind(type(oracle))
    if oracle.trials:
        raise ParameterError(
            f"the oracle has {len(oracle.trials)} trials of another search: pass one that was not used."
        )
    name, direction = oracle.objective.name, oracle.objective.direction
    if name not in _OBJECTIVES or direction != "min":
        raise ParameterError(
            f"the oracle's objective is {name!r} ({direction}), but it gets the loss of the estimator's objective, to be "
            'minimised: leave the oracle\'s out, or name it "val_loss", and choose by the objective of the estimator.'
        )


def _prepared(oracle: keras_tuner.Oracle, offered: keras_tuner.HyperParameters) -> keras_tuner.Oracle:
    """A copy of the oracle that chooses from its own hyper-parameters and, of those offered, from the others."""
    space = oracle.hyperparameters.copy()
    names = {hp.name for hp in space.space}
    more = [hp for hp in offered.space if hp.name not in names]
    if more and not oracle.allow_new_entries:
        raise ParameterError(
            f"the oracle's hyperparameters lack {listed(hp.name for hp in more)}, and allow_new_entries is False."
        )
    if oracle.tune_new_entries:
        space.merge(more)
    prepared = _quick(oracle)
    prepared.hyperparameters = space
    prepared.verbose = 0
    return prepared


def _quick(oracle: keras_tuner.Oracle) -> keras_tuner.Oracle:
    if type(oracle) is not keras_tuner.oracles.BayesianOptimizationOracle:
        try:
            return copy.deepcopy(oracle)
        except Exception as error:
            raise ParameterError(f"the oracle cannot be copied: {error}") from error
    return BayesianOracle(
        objective=oracle.objective,
        max_trials=oracle.max_trials,
        num_initial_points=oracle.num_initial_points,
        alpha=oracle.alpha,
        beta=oracle.beta,
        seed=oracle.seed,
    )


def _is_grid(oracle: keras_tuner.Oracle) -> bool:
    return isinstance(oracle, keras_tuner.oracles.GridSearchOracle)


def _next_trial(oracle: keras_tuner.Oracle) -> Trial | None:
    """What the oracle proposes to a further worker; None where it has nothing, or nothing yet."""
    number = len(oracle.trials)
    response = oracle.populate_space(f"{number:06d}")
    if response["status"] != "RUNNING":
        return None
    trial = _trial(oracle, number, response.get("values") or {})
    for hp in oracle.hyperparameters.space:
        # KerasTuner would draw what an oracle leaves out from Python's global generator.
        if trial.hyperparameters.is_active(hp):
            trial.hyperparameters.values.setdefault(hp.name, hp.default)
    oracle.trials[trial.trial_id] = trial
    oracle.ongoing_trials[trial.trial_id] = trial
    oracle.start_order.append(trial.trial_id)
    oracle._record_values(trial)
    if _is_grid(oracle):
        # What comes next does not depend on this trial, as the space is known.
        oracle._populate_next.append(trial.trial_id)
    return trial


def _finish(oracle: keras_tuner.Oracle, trial: Trial, result: TrialResult) -> None:
    """Answer a proposal that was tried before with what it scored then."""
    del oracle.ongoing_trials[trial.trial_id]
    oracle.end_order.append(trial.trial_id)
    _with_result(trial, oracle, result)


def _trial(oracle: keras_tuner.Oracle, number: int, values: Mapping[str, Any]) -> Trial:
    # The space is shared: nothing adds to it here, and a copy for each trial would take most of the time.
    parameters = copy.copy(oracle.hyperparameters)
    parameters.values = dict(values)
    return Trial(parameters, trial_id=f"{number:06d}", status="RUNNING")


def _with_result(trial: Trial, oracle: keras_tuner.Oracle, result: TrialResult) -> Trial:
    """The trial with its result."""
    trial.status = "COMPLETED" if result.status == "ok" else "FAILED"
    trial.message = result.error
    if result.status == "ok":
        trial.score, trial.best_step = result.score, result.step
        trial.metrics.register(oracle.objective.name, direction="min")
        trial.metrics.update(oracle.objective.name, result.score, step=result.step)
    return trial
