"""What a report says of several assays: what each is worth alone and together, and how far each moves the predictions."""

from __future__ import annotations

from collections.abc import Sequence

from genokeras.engine.block_estimates import BlockEstimate, block_estimates
from genokeras.engine.run import Run
from genokeras.explain import Explanation
from genokeras.metric_names import metric_name, span
from genokeras.report.estimate import in_digits
from genokeras.report.page import bullets, paragraph, table

BLOCKS_HEAD = (
    "block",
    "features",
    "trials",
    "score",
    "95 % interval",
    "gain of all together",
    "95 % interval of the gain",
)
_ABOUT = (
    "Each row is the estimate of an ensemble of the trials that read this block alone, on the same folds and resamples; the gain is how much "
    "better all blocks together are. Where its interval is above 0, the other blocks pay."
)


def block_rows(estimates: Sequence[BlockEstimate]) -> list[tuple[str, ...]]:
    """Rows below ``BLOCKS_HEAD``."""
    rows: list[tuple[str, ...]] = []
    for one in estimates:
        known = one.gain == one.gain
        rows.append(
            (
                one.block,
                f"{one.n_features:,}",
                str(one.n_trials),
                in_digits(one.value),
                span((one.low, one.high)) or "–",
                f"{one.gain:+.3f}" if known else "",
                _gain_span(one) if known else "",
            )
        )
    return rows


def _gain_span(one: BlockEstimate) -> str:
    known = one.gain_low == one.gain_low
    return f"{one.gain_low:+.3f} to {one.gain_high:+.3f}" if known else "–"


def block_parts(run: Run) -> list[str]:
    """HTML of the estimates by block; nothing where there is one matrix."""
    found = block_estimates(run)
    if not found:
        return []
    caption = f"What each block is worth ({metric_name(run.objective.name)})"
    return [
        table(caption, BLOCKS_HEAD, block_rows(found), numbers=[1, 2, 3, 4, 5, 6]),
        bullets(answers_about_blocks(found)),
        paragraph(_ABOUT, "faint"),
    ]


def answers_about_blocks(estimates: Sequence[BlockEstimate]) -> list[str]:
    """A sentence for each block: whether the others pay."""
    return [one.sentence for one in estimates if one.sentence]


def moved_by_blocks(explanation: Explanation) -> list[str]:
    """HTML of how far each block moves each output; nothing where there is one matrix."""
    if not explanation.blocks:
        return []
    moved = explanation.by_block()
    rows = [
        (str(name), *(f"{value:.2g}" for value in row))
        for name, row in zip(moved.index, moved.to_numpy(), strict=True)
    ]
    head = ("block", *map(str, moved.columns))
    return [
        table(
            "How far each block moves the prediction, on average",
            head,
            rows,
            numbers=list(range(1, len(head))),
        )
    ]
