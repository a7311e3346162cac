"""How long a trial may train: short at first, and three times as long whenever it is sent on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genokeras.support.checks import check_whole

FIRST_SHARE = 1 / 20
FIRST_EPOCHS, LEAST_STEPS = 3, 100
MOST_EPOCHS = 200


@dataclass(frozen=True)
class Plan:
    """What one member of a trial may use.

    Attributes
    ----------
    steps : int
        Batches at most.
    seconds : float or None
        Of training at most, the compilation of the network not counted; None is no limit.
    """

    steps: int
    seconds: float | None


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
        Folds, which share the time of a trial.
    """

    epoch: int
    time_limit: float | None
    factor: int = 3
    most_epochs: int = MOST_EPOCHS
    members: int = 1

    def __post_init__(self) -> None:
        check_whole(self.most_epochs, "max_iter_num")

    def plan(self, rung: int, grown: bool = False) -> Plan:
        """What a trial of this rung may use.

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
        seconds = FIRST_SHARE * self.time_limit * times / self.members
        # Where the time would be enough for very many epochs of few samples, they would do no good.
        return Plan(min(most, times * max(math.ceil(most / self.factor**2), LEAST_STEPS)), seconds)
