"""The options of a search, checked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import final

from genokeras.errors import ParameterError
from genokeras.support.checks import check_choice, check_number, check_whole, complaints

SIZES = ("small", "large")
# A model of this number of trainable parameters or more is a large one.
LARGE_FROM = 1_000_000
# First and last rate of a range test, by size and by whether steps are scaled by earlier gradients, as with Adam.
RAMPS = {
    ("small", False): (1e-4, 3.0),
    ("large", False): (1e-5, 1.0),
    ("small", True): (1e-5, 0.3),
    ("large", True): (1e-6, 0.03),
}

# Least value of whole numbers.
_WHOLE = {
    0: ("max_thres", "warmup_steps", "seed"),
    1: ("batch_size", "evaluation_total_steps", "window", "evaluate_every_n_steps", "log_every_n_steps"),
    2: ("total_steps",),
}


@final
@dataclass(frozen=True)
class SearchOptions:
    """Options of :func:`genokeras.keras_models.search`, which explains them.

    Raises
    ------
    ParameterError
        If any is out of range; all of them at once.
    """

    batch_size: int = 50
    auto_batch: bool = False
    total_steps: int = 100
    evaluation_total_steps: int = 10
    model_size: str | None = None
    by_acc: bool = True
    checkpoint_path: str | os.PathLike[str] | None = None
    select_by_eval: bool = False
    weight_decay_diff_thres: float = 0.05
    max_thres: int = 10
    window: int = 50
    warmup_steps: int = 0
    warmup_lr: float = 0.01
    evaluate_every_n_steps: int = 1
    log_every_n_steps: int = 10
    init_learning_rate: float | None = None
    end_learning_rate: float | None = None
    acc_name: str = "accuracy"
    loss_name: str = "loss"
    search_learning_rate: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        problems: list[str] = []
        for least, names in _WHOLE.items():
            problems += complaints(check_whole, {name: getattr(self, name) for name in names}, least=least)
        not_negative = {name: getattr(self, name) for name in ("weight_decay_diff_thres", "warmup_lr")}
        problems += complaints(check_number, not_negative, least=0)
        ends = {name: getattr(self, name) for name in ("init_learning_rate", "end_learning_rate")}
        given = {name: value for name, value in ends.items() if value is not None}
        problems += complaints(check_number, given, above=0)
        problems += complaints(check_choice, {"model_size": self.model_size}, known=(*SIZES, None))
        if not problems and self.search_learning_rate and self.total_steps // self.evaluate_every_n_steps < 2:
            problems.append(
                f"evaluate_every_n_steps={self.evaluate_every_n_steps} leaves a range test of {self.total_steps} steps "
                "fewer than two values: evaluate more often, or raise total_steps."
            )
        if problems:
            raise ParameterError(f"search: {' '.join(problems)}")

    @property
    def measured(self) -> str:
        """Name of the metric that decides."""
        return self.acc_name if self.by_acc else self.loss_name

    def ramp(self, parameters: int, adaptive: bool) -> tuple[float, float]:
        """First and last rate of the range tests, as given or by the size of the model and the kind of optimizer.

        Parameters
        ----------
        parameters : int
            Trainable ones of the model.
        adaptive : bool
            Whether the optimizer scales steps by earlier gradients.

        Raises
        ------
        ParameterError
            If they do not rise.
        """
        size = self.model_size or SIZES[parameters >= LARGE_FROM]
        first, last = RAMPS[size, adaptive]
        first = self.init_learning_rate or (
            first if self.end_learning_rate is None else min(first, self.end_learning_rate / 1e3)
        )
        last = self.end_learning_rate or max(last, first * 1e3)
        if not first < last:
            raise ParameterError(
                f"init_learning_rate must be below end_learning_rate, got {first:g} and {last:g}."
            )
        return first, last
