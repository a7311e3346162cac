"""Efficient neural architecture search for fully connected networks: one supernet, compiled once, for all arcs."""

from __future__ import annotations

from genokeras.enas.controllers import CONTROLLERS, Controller, get_controller
from genokeras.enas.search import EnasResult, EnasSearch, EnasSettings, check_top_k
from genokeras.enas.settings import SearchData, SupernetSettings
from genokeras.enas.slicing import SharedWeights, sliced_weights
from genokeras.enas.supernet import ArcScores, Progress, Supernet

__all__ = [
    "CONTROLLERS",
    "ArcScores",
    "Controller",
    "EnasResult",
    "EnasSearch",
    "EnasSettings",
    "Progress",
    "SearchData",
    "SharedWeights",
    "Supernet",
    "SupernetSettings",
    "check_top_k",
    "get_controller",
    "sliced_weights",
]
