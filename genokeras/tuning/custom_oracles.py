"""Three of KerasTuner's oracles, corrected where they would fail a search or waste its time.

They override private methods of KerasTuner, which have not changed since 2024; tests check that they still work.
"""

from __future__ import annotations

import math
from typing import Any, final

import keras_tuner
import numpy as np

_DRAWS, _RESTARTS = 500, 3


@final
class BayesianOracle(keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian optimisation that proposes nothing twice, and takes milliseconds to propose.

    KerasTuner minimises the acquisition function by fifty runs of L-BFGS over single points. That takes seconds, the result is
    rounded to a value of a list in the end, and values come up again. Here the lower confidence bound is computed for some
    hundred random settings at once, of those not tried yet.
    """

    def _make_gpr(self) -> Any:
        process = super()._make_gpr()
        process.n_restarts_optimizer = _RESTARTS  # KerasTuner's 20 only find the same length scale again
        return process

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        free = self._nonfixed_space()
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(completed) < (self.num_initial_points or max(3 * len(free), 3)):
            return self._random_populate_space()
        settings = self._unseen_settings(len(free))
        if not settings:
            return self._random_populate_space()
        self._fit()
        points = np.array([self._as_point(values) for values in settings])
        mean, deviation = self.gpr.predict(points, return_std=True)
        return {"status": "RUNNING", "values": settings[int(np.argmin(mean - self.beta * deviation))]}

    def _fit(self) -> None:
        # Where others wait for their scores, the length scale is that of the first of them.
        found = getattr(self.gpr, "kernel_", None) if self.ongoing_trials else None
        start = self._make_gpr()
        self.gpr.kernel = start.kernel if found is None else found
        self.gpr.optimizer = start.optimizer if found is None else None
        self.gpr.fit(*self._vectorize_trials())

    def _unseen_settings(self, n_free: int) -> list[dict[str, Any]]:
        """Random settings, each once, without those tried."""
        draws = self._random_state.uniform(size=(_DRAWS, n_free))
        drawn = (self._vector_to_values(draw) for draw in draws)
        distinct = {self._compute_values_hash(values): values for values in drawn}
        return [values for values in distinct.values() if not self._duplicate(values)]

    def _vector_to_values(self, vector: Any) -> dict[str, Any]:
        # KerasTuner copies every parameter for every setting.
        places, drawn = iter(vector), keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            fixed = isinstance(hp, keras_tuner.engine.hyperparameters.Fixed)
            value = hp.value if fixed else hp.prob_to_value(next(places))
            if drawn.is_active(hp):
                drawn.values[hp.name] = value
        return drawn.values

    def _as_point(self, values: dict[str, Any]) -> list[float]:
        """The setting in the unit cube, as the tried ones are."""
        return [hp.value_to_prob(values.get(hp.name, hp.default)) for hp in self._nonfixed_space()]


@final
class HyperbandOracle(keras_tuner.oracles.HyperbandOracle):
    """Hyperband whose brackets fit the number of trials and the number of settings.

    KerasTuner's ends where a bracket's first round cannot be filled with new settings, or the trials run out: after the
    shortest trainings, none of them continued. Here a bracket continues with the settings it has.

    Parameters
    ----------
    max_trials : int or None
        Trials of the first bracket at most.
    **arguments
        Those of KerasTuner's oracle.
    """

    def __init__(self, max_trials: int | None, **arguments: Any) -> None:
        self._widest: float = math.inf
        self._drawn: dict[int, int] = {}
        super().__init__(**arguments)
        if max_trials is not None:
            rounds = range(self._get_num_rounds(self._current_bracket))
            fits = (n for n in range(max_trials, 1, -1) if self._cost(n, len(rounds)) <= max_trials)
            self._widest = next(fits, 1)

    def _cost(self, first: int, n_rounds: int) -> int:
        """Trials of a bracket whose first round has `first`."""
        return sum(self._of_round(first, number) for number in range(n_rounds))

    def _of_round(self, first: int, number: int) -> int:
        return math.ceil(first / self.factor**number)

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        size = super()._get_size(bracket_num, round_num)
        first = min(self._widest, self._drawn.get(bracket_num, math.inf))
        return size if math.isinf(first) else min(size, self._of_round(int(first), round_num))

    def _random_trial(self, trial_id: str, bracket: dict[str, Any]) -> dict[str, Any]:
        response = super()._random_trial(trial_id, bracket)
        drawn = len(bracket["rounds"][0])
        if response["status"] == "STOPPED" and drawn and bracket["bracket_num"] not in self._drawn:
            self._drawn[bracket["bracket_num"]] = drawn
            return self.populate_space(trial_id)
        return response


@final
class GridOracle(keras_tuner.oracles.GridSearchOracle):
    """Grid search that accepts parameters which only some trials ask for; KerasTuner's ends in a KeyError there."""

    def _get_next_combination(self, values: dict[str, Any]) -> dict[str, Any] | None:
        if any(hp.name not in values for hp in self.hyperparameters.space if not hp.conditions):
            # What comes behind this trial was proposed before the new parameter was known.
            return None
        return super()._get_next_combination(values)

    def _compare(self, a: dict[str, Any], b: dict[str, Any]) -> int:
        return super()._compare({name: value for name, value in a.items() if name in b}, b)
