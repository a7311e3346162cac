"""Hyper-parameters as values: range-test curves, specs, the coordinate-wise selector, and KerasTuner's oracles.

Oracles go both ways: KerasTuner's as searchers, and the search of this package as an oracle. Nothing here trains a model or writes
files, except for a temporary folder of KerasTuner during a search.
"""

from genokeras.tuning.attempts import (
    Attempt,
    Choose,
    Selection,
    Settled,
    choose_best,
    choose_largest_within,
    choose_second_within,
)
from genokeras.tuning.learning_rate_range import RangeTest, exponential_rates, smooth, suggest_rate
from genokeras.tuning.morph_oracle import MorphOracle, build_from_hyperparameters
from genokeras.tuning.oracle_searcher import OracleSearcher, is_oracle, make_oracle_searcher
from genokeras.tuning.oracles import ORACLES, OracleDriver, OracleSearch, Proposed
from genokeras.tuning.param_spec import ParamSpec, lists_to_search
from genokeras.tuning.selector import HyperSelector

__all__ = [
    "ORACLES",
    "Attempt",
    "Choose",
    "HyperSelector",
    "MorphOracle",
    "OracleDriver",
    "OracleSearch",
    "OracleSearcher",
    "ParamSpec",
    "Proposed",
    "RangeTest",
    "Selection",
    "Settled",
    "build_from_hyperparameters",
    "choose_best",
    "choose_largest_within",
    "choose_second_within",
    "exponential_rates",
    "is_oracle",
    "lists_to_search",
    "make_oracle_searcher",
    "smooth",
    "suggest_rate",
]
