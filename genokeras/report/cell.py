"""A fitted estimator as a notebook's cell shows it: what to expect of it, beside guessing and a linear model, and its best trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from genokeras.engine import Run
from genokeras.report.answers import what_is_predicted
from genokeras.report.estimate import ESTIMATE_HEAD, estimate_of, estimate_rows, expectation, verdict
from genokeras.report.page import escape, paragraph, table
from genokeras.report.sample_kinds import GENES, sample_kind
from genokeras.support.wording import counted

TOP = 5
# Colours are those of the notebook, light or dark.
STYLE = """
.genokeras-cell { max-width: 64rem; }
.genokeras-cell p { margin: .3em 0; }
.genokeras-cell .wide { overflow-x: auto; margin: .5em 0; }
.genokeras-cell table { border-collapse: collapse; }
.genokeras-cell caption { text-align: left; opacity: .75; padding: 0; caption-side: top; }
.genokeras-cell th, .genokeras-cell td { text-align: left; padding: .15em .9em .15em 0; background: none; white-space: nowrap;
  border-bottom: 1px solid rgba(128, 128, 128, .35); }
.genokeras-cell .number { text-align: right; font-variant-numeric: tabular-nums; }
.genokeras-cell .long { white-space: normal; min-width: 10em; }
.genokeras-cell .faint { opacity: .75; }
"""
_TRIALS_HEAD = ("rank", "trial", "score", "grown by", "network", "views", "share")


def cell_html(run: Run, name: str, leaderboard: pd.DataFrame) -> str:
    """HTML of a fitted estimator, all names escaped.

    Parameters
    ----------
    run : Run
    name : str
        What the estimator is called.
    leaderboard : DataFrame
        Of the run.
    """
    estimate, kind = estimate_of(run), sample_kind(run.folder.settings) or GENES
    n = int(run.folder.settings.get("n_samples", run.rows.n_samples))
    words = f"{name}, fitted to {n:,} {kind.sample}s: {what_is_predicted(run)}."
    scores = table("Scores", ESTIMATE_HEAD, estimate_rows(estimate), numbers=[1, 2, 3, 4])
    parts = [
        f"<p><strong>{escape(words)}</strong> {escape(expectation(estimate, kind.sample))}</p>",
        paragraph(verdict(estimate)),
        scores,
        _trials(leaderboard),
        paragraph(f"The run lies in {run.folder.path}.", "faint"),
    ]
    return f'<style>{STYLE}</style>\n<div class="genokeras-cell">\n' + "\n".join(parts) + "\n</div>"


def _trials(leaderboard: pd.DataFrame) -> str:
    ranked = leaderboard[leaderboard["rank"].notna()]
    rows = [_row(row) for row in ranked.head(TOP).to_dict("records")]
    left = len(leaderboard) - len(rows)
    more = f"; leaderboard() has the other {left}" if left else ""
    caption = f"The best of {counted(len(leaderboard), 'trial')}, out of fold{more}"
    return table(caption, _TRIALS_HEAD, rows, numbers=[0, 1, 2, 6], long=[4])


def _row(row: Mapping[Any, Any]) -> tuple[object, ...]:
    score = f"{row['score']:.3f}" + (f" ± {row['se']:.3f}" if row["se"] == row["se"] else "")
    share = f"{row['share']:.0%}" if row["share"] else ""
    return row["rank"], row["model_id"], score, row["origin"], row["graph"], row["views"], share
