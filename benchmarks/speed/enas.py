"""Arcs scored a minute by shared weights, against arcs trained one by one: synthetic 100 x 10,000, as in the sample project."""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.quality.arcs import FromScratch
from genokeras.enas import EnasSearch, Supernet, SupernetSettings
from genokeras.graph.arcs import ArcSpace

SAMPLES, FEATURES = 100, 10_000
LAYERS, CHANNEL = 3, 512
ONE_BY_ONE = 4


def main(_: argparse.Namespace) -> None:
    """All 1,000 arcs of three layers of up to 512 units; compilation counts on both sides."""
    rng = np.random.default_rng(0)
    codes = np.arange(SAMPLES) % 2
    x = rng.standard_normal((SAMPLES, FEATURES), dtype="float32")
    x[codes == 1, :100] += 0.5
    space = ArcSpace(LAYERS, CHANNEL)
    scratch = FromScratch(x, codes, space, SupernetSettings().learning_rate)
    result = EnasSearch(space).run(scratch.data)
    whole = 60 * result.n_scored / result.seconds
    print(
        f"search: {result.n_scored} arcs in {result.seconds:.1f} s, shared weights ({result.steps} steps) and compilations "
        f"({result.compilations}) included: {whole:,.0f} arcs a minute"
    )
    print(f"scoring alone: {scored_a_minute(space, scratch):,.0f} arcs a minute")
    started = time.perf_counter()
    for _ in range(ONE_BY_ONE):
        scratch.train(space.random(rng), 0)
    one_by_one = 60 * ONE_BY_ONE / (time.perf_counter() - started)
    print(f"from scratch, one by one: {one_by_one:.1f} arcs a minute")
    print(f"arcs a minute, search / from scratch: {whole / one_by_one:.0f}")


def scored_a_minute(space: ArcSpace, scratch: FromScratch) -> float:
    """Behind a few steps of training and a call that compiles."""
    net = Supernet(space, scratch.data, SupernetSettings(steps=20, min_steps=1, chunk_steps=4))
    net.train()
    arcs = list(space.all_arcs())
    net.score(arcs[:1])
    started = time.perf_counter()
    net.score(arcs)
    return 60 * len(arcs) / (time.perf_counter() - started)
