"""Choosing hyper-parameters: range tests, specs, the coordinate-wise selector, and KerasTuner's oracles.

What projects in one JSON file and any Keras model share. Nothing here writes files, but for a folder of KerasTuner's that
goes when its search ends.
"""

from genokeras.tuning.learning_rate_range import RangeTest, exponential_rates, smooth, suggest_rate
from genokeras.tuning.oracles import ORACLES, OracleDriver, OracleSearch, Proposed
from genokeras.tuning.selector import (
    Candidate,
    HyperSelector,
    Selection,
    Settled,
    choose_best,
    choose_largest_within,
    choose_second_within,
)
from genokeras.tuning.specs import ParamSpec, lists_to_search

__all__ = [
    "ORACLES",
    "Candidate",
    "HyperSelector",
    "OracleDriver",
    "OracleSearch",
    "ParamSpec",
    "Proposed",
    "RangeTest",
    "Selection",
    "Settled",
    "choose_best",
    "choose_largest_within",
    "choose_second_within",
    "exponential_rates",
    "lists_to_search",
    "smooth",
    "suggest_rate",
]
