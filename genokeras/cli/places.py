"""Arguments that are paths: what is not there is answered before anything heavy is imported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import click

from genokeras.cli.group import Failure

RUN_FILE = "run.json"
_LISTED = 3
# What people give in place of the folder itself.
_IN_RUNS = (RUN_FILE, "best.keras", "best.json", "result.json", "journal.jsonl")


def existing_run(ctx: click.Context, parameter: click.Parameter, run: Path) -> Path:
    """The callback of RUN: the folder, as it was given.

    Raises
    ------
    Failure
        If it is no run folder; says which are near.
    """
    folder = run.expanduser()
    if folder.is_file() and folder.name in _IN_RUNS:
        raise Failure(f"{run} is a file: give the run folder it is in, {run.parent}.")
    if folder.is_file():
        raise Failure(
            f"{run} is a file; expected a run folder, such as --out of genokeras fit made. It comes before DATA."
        )
    if (folder / RUN_FILE).exists():
        return run
    if folder.is_dir():
        inside = _runs_in(folder)
        more = (
            f" There are runs in it: {', '.join(str(run / name) for name in inside[:_LISTED])}."
            if inside
            else ""
        )
        raise Failure(f"{str(run)!r} is not a run folder made by GenoKeras: it has no run.json.{more}")
    raise Failure(f"the run folder {run} does not exist.{_nearby(folder, _runs_in(folder.parent))}")


def existing_run_or_model(ctx: click.Context, parameter: click.Parameter, run: Path) -> Path:
    """The callback of RUN where an exported model may stand in its place, with its JSON file beside it.

    Raises
    ------
    Failure
        As `existing_run`; or if the model or its JSON file is missing.
    """
    file = run.expanduser()
    in_run = file.name in _IN_RUNS and (file.parent / RUN_FILE).exists()
    if not is_model(file) or in_run:
        return existing_run(ctx, parameter, run)
    if not file.is_file():
        raise Failure(f"the model {run} does not exist.{_nearby(file, _names_in(file.parent))}")
    beside = file.with_suffix(".json")
    if not beside.is_file():
        raise Failure(
            f"{run} has no JSON file beside it, which names the features that the model reads and what it answers: expected "
            f"{run.with_suffix('.json')}. Whoever exported the model has both; copy it there, too."
        )
    return run


def is_model(path: Path) -> bool:
    """Whether a path names a model that was exported, and no run folder."""
    return path.suffix.lower() == ".keras" and not path.is_dir()


def existing_data(ctx: click.Context, parameter: click.Parameter, data: Path | None) -> Path | None:
    """The callback of DATA, where it is given: a file or folder.

    Raises
    ------
    Failure
        As `check_data`.
    """
    return data if data is None else check_data(data)


def check_data(data: Path, expected: str = "") -> Path:
    """See that a file or folder is there.

    Raises
    ------
    Failure
        If it is not; says which names are near.
    """
    place = data.expanduser()
    if not place.exists():
        raise Failure(f"{data} does not exist{expected}.{_nearby(place, _names_in(place.parent))}")
    return data


def _runs_in(folder: Path) -> list[str]:
    return [name for name in _names_in(folder) if (folder / name / RUN_FILE).exists()]


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _nearby(place: Path, names: Iterable[str]) -> str:
    if not place.parent.is_dir():
        return f" Nor does its folder {place.parent}."
    close = difflib.get_close_matches(place.name, list(names), n=3)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
