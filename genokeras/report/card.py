"""A model card (Mitchell et al. 2019, Model cards for model reporting) in markdown: what a model is, and is not, good for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from genokeras.engine import Run
from genokeras.engine.block_estimates import block_estimates
from genokeras.report.answers import about_chance, card_sentence, model_limit, outputs_in_words
from genokeras.report.blocks import BLOCKS_HEAD, answers_about_blocks, block_rows
from genokeras.report.decisions import Decision, asked_of, decision_of
from genokeras.report.estimate import ESTIMATE_HEAD, estimate_of, estimate_rows, how_estimated, verdict
from genokeras.report.finished import finished_run, kind_of, loading, recipe
from genokeras.report.panel import needed_genes
from genokeras.report.sample_kinds import GENES
from genokeras.visible import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")


def report_card(run: Any) -> str:
    """A run's model card.

    Parameters
    ----------
    run : path-like or fitted estimator

    Returns
    -------
    str
        Markdown; names of classes and genes are escaped.

    Raises
    ------
    RunFolderError
        If it is no run, or was never finished.

    References
    ----------
    Mitchell et al. (2019), Model cards for model reporting, FAT*.
    """
    fitted = finished_run(run)
    return card_of(fitted, decision_of(fitted, asked_of(run)))


def card_of(fitted: Run, decision: Decision) -> str:
    """The model card of a run in memory, whose classes follow from probabilities by `decision`."""
    estimate = estimate_of(fitted)
    settings, kind = fitted.folder.settings, kind_of(fitted)
    what = f"{len(settings['feature_names']):,} genes" if kind is GENES else f"{kind.sample}s"
    outputs = outputs_in_words(fitted)
    parts = [
        f"# Model card: {plain(fitted.folder.path.name)}",
        "## What it is",
        f"{card_sentence(fitted, what, plain)} {kind.reads} in, {outputs} out.",
        *_bulleted(
            [*recipe(fitted), *([needed_genes(fitted)] if kind is GENES else []), fitted.growth.sentence()]
        ),
        "## How good it is",
        f"**{plain(verdict(estimate))}**",
        _table(ESTIMATE_HEAD, estimate_rows(estimate)),
        plain(how_estimated(estimate, fitted.stop_reason)),
        about_chance(fitted),
        *map(plain, decision.in_words(fitted.names.tolist())[:1]),
        *_blocks(fitted),
        "## What it is for, and what not",
        *_bulleted(_limits(fitted)),
        "## How to load it",
        *(f"{title}:\n\n```python\n{code}\n```" for title, code in loading(fitted, decision.threshold)),
    ]
    return "\n\n".join(parts) + "\n"


def _blocks(run: Run) -> list[str]:
    found = block_estimates(run)
    if not found:
        return []
    return [_table(BLOCKS_HEAD, block_rows(found)), *_bulleted(answers_about_blocks(found))]


def _limits(run: Run) -> list[str]:
    kind = kind_of(run)
    limits = [
        f"For {kind.sample}s that were taken, measured and processed as the training samples were. On others, test it first.",
        model_limit(run, _a(kind.sample)),
        "It was made for research. It has not been validated for decisions about patients.",
        kind.limit,
    ]
    if run.folder.settings.get("groups") is None:
        limits.append(
            f"{kind.sample.capitalize()}s were split one by one. If some came from {kind.together}, the estimate is too good: "
            "fit(groups=...) keeps them together."
        )
    return limits


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def plain(text: object) -> str:
    """Text that markdown shows as it is, on one line, and that no HTML hides in."""
    line = visible(" ".join(str(text).split()))
    return _SPECIAL.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _bulleted(items: Iterable[str]) -> list[str]:
    return ["\n".join(f"- {plain(item)}" for item in items)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
