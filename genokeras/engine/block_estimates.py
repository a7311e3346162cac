"""What each of several blocks is worth: the estimate of the trials that read one block alone, beside that of all trials.

Everything is scored on the same folds and the same resamples, so that the difference has an interval of its own: whether a further
assay pays is a question about that difference, not about two intervals that overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from genokeras.data.block import Block, reading_of
from genokeras.engine.delivery import family_of, limits_of
from genokeras.engine.run import Run
from genokeras.engine.store import TrialStore
from genokeras.features import block_of
from genokeras.searchers import LARGEST_ENSEMBLE, Estimate, TrialResult, estimate_performance

TOGETHER = "all together"
_MARGIN = 0.025


@dataclass(frozen=True)
class BlockEstimate:
    """A score on new samples by one block, or by all.

    Attributes
    ----------
    block : str
        Its name; ``"all together"`` for all trials of the run.
    n_features, n_trials : int
    metric : str
    value, low, high : float
        Corrected for having chosen the best of these trials, with a 95 % interval; NaN where samples come in fewer than five groups.
    gain, gain_low, gain_high : float
        How much better all together are, with the interval of the difference; positive where they are better. NaN of all together.
    """

    block: str
    n_features: int
    n_trials: int
    metric: str
    value: float
    low: float
    high: float
    gain: float = float("nan")
    gain_low: float = float("nan")
    gain_high: float = float("nan")

    @property
    def sentence(self) -> str:
        """What the difference says."""
        if not np.isfinite(self.gain):
            return ""
        if not np.isfinite(self.gain_low):
            return (
                f"Whether all blocks together are better than {self.block} alone is not certain: {self.gain:+.3f}, in fewer groups than "
                "an interval needs."
            )
        interval = f"{self.gain:+.3f} ({self.gain_low:+.3f} to {self.gain_high:+.3f})"
        if self.gain_low > 0:
            return f"All blocks together are better than {self.block} alone: {interval}."
        if self.gain_high < 0:
            return f"All blocks together are worse than {self.block} alone: {interval}."
        return f"Whether all blocks together are better than {self.block} alone is not certain: {interval}."

    def to_dict(self) -> dict[str, Any]:
        """By the names of its attributes."""
        return asdict(self)


def blocks_of(run: Run) -> tuple[Block, ...]:
    """The blocks that a run reads; none of a run on one matrix."""
    settings = run.folder.settings
    found: tuple[Block, ...] = reading_of(settings)["blocks"] if settings.get("feature_names") else ()
    return found


def blocks_read(trial: TrialResult, blocks: Sequence[Block]) -> tuple[str, ...]:
    """Names of the blocks that a trial's network reads, in their order."""
    read = {block_of(view) for view in trial.proposal.views}
    return tuple(block.name for block in blocks if None in read or block.name in read)


def blocks_in_words(trial: TrialResult, blocks: Sequence[Block]) -> str:
    """``rna+meth``, or ``all blocks``."""
    read = blocks_read(trial, blocks)
    return "all blocks" if len(read) == len(blocks) > 1 else "+".join(read)


def block_estimates(run: Run) -> tuple[BlockEstimate, ...]:
    """Estimates of all blocks together, first, and of each alone; none of a run on one matrix or block.

    A block's own ensemble is chosen among the trials that read nothing else, as the run's is among all.
    """
    blocks = blocks_of(run)
    trials = run.history.ok()
    if len(blocks) < 2 or not trials or run.problem.n_folds < 2:
        return ()
    read = [blocks_read(trial, blocks) for trial in trials]
    whole = _estimate(run, trials)
    found = [_row(TOGETHER, sum(block.size for block in blocks), len(trials), whole)]
    for block in blocks:
        mine = [trial for trial, names in zip(trials, read, strict=True) if names == (block.name,)]
        if mine:
            alone = _estimate(run, mine)
            found.append(_row(block.name, block.size, len(mine), alone, whole))
    return tuple(found)


def _row(
    name: str, n_features: int, n_trials: int, found: Estimate, whole: Estimate | None = None
) -> BlockEstimate:
    row = BlockEstimate(name, n_features, n_trials, found.metric, found.value, found.low, found.high)
    if whole is None:
        return row
    gains = np.array(whole.values) - np.array(found.values)
    gains = (gains if found.greater_is_better else -gains)[np.isfinite(gains)]
    if not len(gains):
        return row
    low, high = np.quantile(gains, [_MARGIN, 1 - _MARGIN])
    if not np.isfinite(whole.low):  # in few groups neither score has an interval
        low, high = np.nan, np.nan
    return BlockEstimate(
        **{**asdict(row), "gain": float(gains.mean()), "gain_low": float(low), "gain_high": float(high)}
    )


def _estimate(run: Run, trials: Sequence[TrialResult]) -> Estimate:
    rows, groups = run.problem, run.problem.groups
    scored = rows.scored
    p = TrialStore(run.folder).answers(tuple(trials))[:, scored].astype("float64")
    seed = int(run.folder.settings["seed"])
    found = estimate_performance(
        p,
        rows.targets[scored],
        run.objective,
        rng=np.random.default_rng([seed, 2]),
        metrics=(),
        groups=None if groups is None else groups[scored],
        sample_weight=rows.sample_weight[scored],
        families=np.array([family_of(trial) for trial in trials]),
        **limits_of(int(scored.sum()), run.objective, LARGEST_ENSEMBLE),
    )
    return found[run.objective.name]
