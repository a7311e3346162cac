"""What growing pays on sequences, images and texts: GenoKeras against its own first networks with varied hyper-parameters.

    python -m benchmarks.quality.spatial --data FOLDER --tools genokeras templates --seeds 0 1 --results growth.jsonl
    python -m benchmarks.quality.spatial_growth --results growth.jsonl

Prints a row a set, means over rounds and seeds that both have, and how many sets are ahead.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.quality.evaluate import read_lines

KEYS = ["set", "seconds", "round", "seed"]
FACTS = ["best_is_grown", "grown_share", "grown_seconds", "trained_seconds"]


def growth_table(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Log loss and accuracy of both, by set and time limit, and what grown networks have of the search and of its result.

    Parameters
    ----------
    lines : list of dict
        As ``spatial`` writes them.
    """
    frame = pd.DataFrame(
        [{"seed": 0, **line} for line in lines if line.get("tool") in ("genokeras", "templates")]
    )
    grown, plain = (frame[frame["tool"] == tool].set_index(KEYS) for tool in ("genokeras", "templates"))
    pairs = grown.join(plain[["log_loss", "accuracy"]], rsuffix="_templates", how="inner")
    numbers = pairs[["log_loss", "log_loss_templates", "accuracy", "accuracy_templates", *FACTS]].astype(
        float
    )
    table = numbers.groupby(level=["set", "seconds"]).mean()
    table["grown_time"] = table.pop("grown_seconds") / table.pop("trained_seconds")
    return table


def summary(table: pd.DataFrame) -> str:
    """The table in a sentence."""
    ahead = int((table["log_loss"] < table["log_loss_templates"]).sum())
    best = int((table["best_is_grown"] >= 0.5).sum())
    return (
        f"Ahead in log loss on {ahead} of {len(table)} sets; the best trial was grown on {best}; grown networks hold "
        f"{table['grown_share'].mean():.0%} of the ensembles and had {table['grown_time'].mean():.0%} of the training time."
    )


def main() -> None:
    """Print the table and its summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("spatial.jsonl"), help="what `spatial` wrote")
    table = growth_table(read_lines(parser.parse_args().results))
    print(table.round(4).to_string())
    print(summary(table))


if __name__ == "__main__":
    main()
