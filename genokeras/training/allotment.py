"""How long a trial may train: short at first, and three times as long whenever it is sent on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genokeras.support.checks import check_whole

FIRST_SHARE = 1 / 20
FIRST_EPOCHS, LEAST_STEPS = 3, 100
MOST_EPOCHS = 200
# On a slow machine the first training takes as long as this number of epochs, within a share of the limit.
JUDGED_EPOCHS, MOST_FIRST_SHARE = 5, 1 / 6
# Of the time limit, for all linear models together.
LINEAR_SHARE = 1 / 10


@dataclass(frozen=True)
class Plan:
    """What one member of a trial may use.

    Attributes
    ----------
    steps : int
        Batches at most.
    seconds : float or None
        Of training, the compilation of the network not counted; None is no limit.
    least_steps : int
        Batches that training takes even where they take longer than that.
    most_seconds : float or None
        Of training, for these.
    """

    steps: int
    seconds: float | None
    least_steps: int = 0
    most_seconds: float | None = None

    def allowed(self, per_step: float) -> float:
        """Seconds of training where a step takes this many."""
        if self.seconds is None:
            return math.inf
        return max(self.seconds, min(self.most_seconds or 0.0, self.least_steps * per_step))


@dataclass(frozen=True)
class Allotment:
    """Training by rung.

    Attributes
    ----------
    epoch : int
        Batches in an epoch.
    time_limit : float or None
        Seconds of the whole search. Without it, trials are counted in epochs alone, and the same seed gives the same run.
    factor : int
        How much longer a network trains that was sent on.
    most_epochs : int
        Of any trial.
    members : int
        Folds. A trial trains on the first one, and those that do well on all of them.
    """

    epoch: int
    time_limit: float | None
    factor: int = 3
    most_epochs: int = MOST_EPOCHS
    members: int = 1

    def __post_init__(self) -> None:
        check_whole(self.most_epochs, "max_iter_num")

    @property
    def linear_seconds(self) -> float:
        """For all linear models together."""
        return math.inf if self.time_limit is None else LINEAR_SHARE * self.time_limit

    def plan(self, rung: int, grown: bool = False) -> Plan:
        """What each fold of a trial of this rung may use.

        Parameters
        ----------
        rung : int
        grown : bool
            Whether it grew from a network of its own rung, whose weights it has: it needs no more than one of the rung before.
        """
        times = self.factor ** max(0, rung - 1 if grown else rung)
        most = self.most_epochs * self.epoch
        if self.time_limit is None:
            return Plan(min(most, times * max(FIRST_EPOCHS * self.epoch, LEAST_STEPS)), None)
        # One fold of several is half of a trial: most trials end there.
        unit = self.time_limit * times * 2 / (self.members + 1)
        # Where the time would be enough for very many epochs of few samples, they would do no good.
        return Plan(
            min(most, times * max(math.ceil(most / self.factor**2), LEAST_STEPS)),
            FIRST_SHARE * unit,
            times * max(JUDGED_EPOCHS * self.epoch, LEAST_STEPS),
            MOST_FIRST_SHARE * unit,
        )
