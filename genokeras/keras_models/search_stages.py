"""The stages in which a search settles its parameters."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from genokeras.errors import DataError, ParameterError, TrainingError
from genokeras.keras_models.model_builder import DECAY, RATE
from genokeras.keras_models.search_options import SearchOptions
from genokeras.keras_models.short_trainings import ShortResult, ShortTrainings
from genokeras.tuning import (
    Attempt,
    Choose,
    HyperSelector,
    ParamSpec,
    RangeTest,
    Selection,
    choose_largest_within,
    choose_second_within,
)

_logger = logging.getLogger(__name__)

MOMENTUM = "momentum"
# What a rate that does not train is divided by, and how often.
LOWER, MOST_LOWER = 3.0, 8
# Lower rates that are tried in any case.
LEAST_LOWER = 3
# A rate must last for a training of LONGER times the steps, where it may score less than the best by LOST.
LONGER, LOST = 3, 0.02
_FATAL = (ParameterError, DataError)


@final
@dataclass(frozen=True, eq=False)
class SearchStages:
    """Range tests, then one parameter after the other; see :func:`genokeras.keras_models.search`.

    Parameters
    ----------
    trainings : ShortTrainings
    options : SearchOptions
    lists : dict of str to list
        Values to try, by name.
    log : callable
    """

    trainings: ShortTrainings
    options: SearchOptions
    lists: Mapping[str, list[Any]]
    log: Callable[[str], None]
    curves: dict[str, RangeTest] = field(default_factory=dict)

    def run(self, spec: ParamSpec) -> ParamSpec:
        """All stages."""
        self.trainings.probe(spec)
        left = dict(self.lists)
        if self.options.search_learning_rate:
            spec = self._by_range_tests(spec, left.pop(DECAY, None))
            spec = self._lowered(spec)
        elif DECAY in left:
            spec = self._settled(spec, DECAY, sorted(left.pop(DECAY), reverse=True))
        in_order = sorted(left, key=lambda name: name != MOMENTUM)  # momentum first, the others as they are
        momentum = spec.momentum if MOMENTUM in spec else None
        only_evaluated = [n for n in in_order if self.trainings.pool.changes_training(n, spec) is False]
        for name in in_order:
            if name not in only_evaluated:
                spec = self._settled(spec, name, left[name])
                if name == MOMENTUM and self.options.search_learning_rate and spec.momentum != momentum:
                    spec = self._lowered(spec)  # more momentum makes longer steps of the same rate
        if self.options.search_learning_rate:
            spec = self._lasting(spec)
        if only_evaluated:
            spec = self._evaluated(spec, {name: left[name] for name in only_evaluated})
        return self._explained(spec).with_curves(self.curves)

    # ---- stages

    def _by_range_tests(self, spec: ParamSpec, decays: list[Any] | None) -> ParamSpec:
        low, high = self.trainings.ramp
        self.log(f"Pretraining: range tests of {self.options.total_steps} steps from {low:g} to {high:g}")
        if decays is None:
            test = self._tested(spec, RATE)
            return _with(spec, RATE, test.suggestion, test.reason)
        rule = choose_largest_within(self.options.weight_decay_diff_thres)
        lists = {DECAY: sorted(decays, reverse=True)}
        chosen = self._selected(spec, lists, self._attempt_by_range_test, rule)
        reason = self.curves[_label(DECAY, chosen.values[DECAY])].reason
        found = _with(spec, DECAY, chosen.values[DECAY], chosen.settled[0].reason)
        return _with(found, RATE, chosen.values[RATE], reason)

    def _lowered(self, spec: ParamSpec) -> ParamSpec:
        """The lowest of the current rate, its third, its ninth and so on that scores as well as the best of them.

        The highest rate that trains learns the fastest, but its weights do not settle: of rates that are equally good after a
        short training, the lowest gets further in a longer one. At least three lower rates are tried, because a single score
        of unsettled weights is luck, and more while the lowest is as good as any.

        Where no rate is better than no training, as with the weights of a good checkpoint, the lowest would win by changing
        nothing: of equals the highest is kept then.
        """
        before = self.trainings.score_before(spec)
        highest = float(spec.learning_rate)
        outcomes = [self._trained(spec, highest)]
        chosen = outcomes[0]
        while len(outcomes) <= MOST_LOWER:
            outcomes.append(self.trainings.short_training(spec, outcomes[-1].rate / LOWER))
            able = [o for o in outcomes if o.trained] or outcomes[:1]
            best = max(o.score for o in able)
            chance = self.trainings.error(best)
            equal = [o for o in able if o.score >= best - chance]
            chosen = equal[-1] if best > before + chance else equal[0]
            if len(outcomes) > LEAST_LOWER and chosen is not outcomes[-1]:
                break
        if not best > before + chance:
            chosen = self._raised(spec, chosen, best - chance)
        self.log(f"Pretraining: kept of {len(outcomes)} learning rates: {chosen}")
        reason = spec.reasons[RATE]
        if chosen.rate < highest:
            reason += f"; lowered from {highest:.3g} in thirds, which scored as well"
        if chosen.rate > highest:
            reason += (
                f"; raised from {highest:.3g} by threes, as no rate betters the weights of the beginning"
            )
        return _with(spec, RATE, chosen.rate, reason)

    def _raised(self, spec: ParamSpec, from_: ShortResult, least: float) -> ShortResult:
        """The highest of this rate, three times it and so on that keeps what good weights score.

        Under such weights a range test sees drops by chance, and suggests a rate that changes nothing.
        """
        kept = from_
        while kept.rate * LOWER <= self.trainings.ramp[1]:
            higher = self.trainings.short_training(spec, kept.rate * LOWER)
            if not (np.isfinite(higher.score) and higher.score >= least):
                break
            kept = higher
        return kept

    def _lasting(self, spec: ParamSpec) -> ParamSpec:
        """The current rate; its third, and so on, where that scores better in a longer training.

        A short training may end before the weights run away, and before lower rates have caught up.
        """
        highest = float(spec.learning_rate)
        short = self.trainings.short_training(spec, highest)
        kept = self.trainings.short_training(spec, highest, LONGER)
        before = self.trainings.score_before(spec)
        best = max(short.score, kept.score) if np.isfinite(kept.score) else short.score
        while highest / kept.rate < LOWER**MOST_LOWER:
            lower = self.trainings.short_training(spec, kept.rate / LOWER, LONGER)
            # Weights that no rate betters need not be bettered, and what is a little better is luck.
            good = best <= before + LOST
            lasts = (kept.trained or good) and kept.score >= best - LOST
            margin = self.trainings.error(best) if good else 0.0
            if lasts and not (lower.trained and lower.score > kept.score + margin):
                break
            self.log(f"Pretraining: in {LONGER} times the steps, {lower} after {kept}")
            kept = lower
            best = max(best, lower.score) if lower.trained else best
        if kept.rate == highest:
            return spec
        reason = f"{spec.reasons[RATE]}; lowered from {highest:.3g} by trainings of {LONGER} times the steps"
        return _with(spec, RATE, kept.rate, reason)

    def _settled(self, spec: ParamSpec, name: str, values: list[Any]) -> ParamSpec:
        """A parameter by short trainings."""
        if self.trainings.pool.changes_training(name, spec) is None:
            message = f"{name} is read by neither model_fn nor optimizer_fn, so its values are not tried"
            _logger.warning(message)
            return spec.with_reasons({name: message})

        times = self._times(values) if name == MOMENTUM else 1
        rule = choose_second_within(self.trainings.error)
        if name == DECAY:
            rule = choose_largest_within(self.options.weight_decay_diff_thres)
        chosen = self._selected(spec, {name: values}, lambda one: self._attempt_by_training(one, times), rule)
        found = _with(spec, name, chosen.values[name], chosen.settled[0].reason)
        rate = chosen.learning_rate
        if rate is not None and rate != spec.learning_rate:
            reason = f"{spec.reasons[RATE]}; lowered to train with {name}={chosen.values[name]}"
            found = _with(found, RATE, rate, reason)
        return found

    def _evaluated(self, spec: ParamSpec, lists: dict[str, list[Any]]) -> ParamSpec:
        """Parameters that only evaluation reads, by one training."""
        rate = float(spec.learning_rate) if self.options.search_learning_rate else None
        scores = self.trainings.evaluations(spec, rate)

        def attempt(one: ParamSpec) -> Attempt:
            score, second = scores(one)
            return Attempt(score, second=second)

        chosen = self._selected(spec, lists, attempt, choose_second_within(self.trainings.error))
        for step in chosen.settled:
            spec = _with(spec, step.parameter, step.value, f"{step.reason}; without training again")
        return spec

    # ---- attempts

    def _selected(
        self,
        spec: ParamSpec,
        lists: Mapping[str, list[Any]],
        attempt: Callable[[ParamSpec], Attempt],
        rule: Choose,
    ) -> Selection:
        """One parameter of the lists after the other, each by the same rule."""

        def evaluate(wanted: list[dict[str, Any]]) -> list[Attempt]:
            return [attempt(ParamSpec.from_dict(one)) for one in wanted]

        rules = dict.fromkeys(lists, rule)
        return HyperSelector(spec.to_dict(), lists, evaluate, log=self.log, choose=rules, fatal=_FATAL).run()

    def _attempt_by_range_test(self, spec: ParamSpec) -> Attempt:
        started = time.perf_counter()
        test = self._tested(spec, DECAY)
        seen = test.smoothed[test.rates <= test.suggestion]
        best = float(np.nanmax(seen) if self.options.by_acc else np.nanmin(seen))
        if not self.options.by_acc:
            best = (seen[0] - best) / max(abs(seen[0]), 1e-12)
        seconds = time.perf_counter() - started
        return Attempt(best, learning_rate=test.suggestion, curve=tuple(test.raw), seconds=seconds)

    def _tested(self, spec: ParamSpec, name: str) -> RangeTest:
        test = self.trainings.range_test(spec)
        label = _label(name, getattr(spec, name)) if name == DECAY else name
        self.log(f"Pretraining: {label}: learning rate {test.suggestion:.3g}: {test.reason}")
        self.curves[label] = test
        return test

    def _times(self, momenta: list[Any]) -> int:
        """How many times the steps show what these momenta do: m is at 95 % of its full speed after 3 / (1 - m) steps."""
        highest = max((float(m) for m in momenta if isinstance(m, int | float) and m < 1), default=0.0)
        needed = math.ceil(3.0 / (1.0 - highest))
        return min(LONGER, max(1, math.ceil(needed / self.options.total_steps - 0.05)))

    def _attempt_by_training(self, spec: ParamSpec, times: int) -> Attempt:
        started = time.perf_counter()
        rate = None
        if self.options.search_learning_rate:
            outcome = self._trained(spec, float(spec.learning_rate), times)
            rate = outcome.rate
        else:
            outcome = self.trainings.short_training(spec, None, times)
        seconds = time.perf_counter() - started
        return Attempt(outcome.score, learning_rate=rate, seconds=seconds, second=outcome.second)

    def _trained(self, spec: ParamSpec, rate: float, times: int = 1) -> ShortResult:
        """A short training at this rate, or at a third of it and so on until the loss goes down."""
        outcomes = []
        for _ in range(MOST_LOWER + 1):
            outcomes.append(self.trainings.short_training(spec, rate, times))
            if outcomes[-1].trained:
                return outcomes[-1]
            self.log(f"Pretraining: learning rate {rate:.3g} does not train")
            rate /= LOWER
        # Weights of a checkpoint may be so good that no rate betters them on average.
        finite = [outcome for outcome in outcomes if np.isfinite(outcome.score)]
        if not finite:
            raise TrainingError(
                f"the loss was not finite at any learning rate from {outcomes[-1].rate:.3g} to {outcomes[0].rate:.3g}."
            )
        return max(finite, key=lambda outcome: (outcome.score, outcome.second))

    def _explained(self, spec: ParamSpec) -> ParamSpec:
        """With a note on what neither function reads."""
        reasons = {}
        for name in sorted(self.trainings.pool.set_by_us):
            own = spec.reasons.get(name, "as given")
            reasons[name] = f"{own}; set on the optimizer, because no function reads it"
        return spec.with_reasons(reasons)


def _with(spec: ParamSpec, name: str, value: Any, reason: str) -> ParamSpec:
    """The spec with a value and why; the reasons of all others stay."""
    return spec.replace(**{name: value}).with_reasons({name: reason})


def _label(name: str, value: Any) -> str:
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
