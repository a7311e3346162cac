"""``genokeras auto``: the calls of a project, in the order in which they were given."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genokeras.cli.backend import load_auto
from genokeras.cli.group import debug_option, say
from genokeras.cli.places import check_data
from genokeras.interrupt import Interruption

if TYPE_CHECKING:
    import genokeras as gk

CALLS = ("train", "evaluate", "predict", "explain")


@click.command()
@click.argument("config", type=click.Path())
@click.argument("calls", nargs=-1, required=True, type=click.Choice(CALLS), metavar="CALLS...")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@debug_option
def auto(config: str, calls: tuple[str, ...], quiet: bool) -> None:
    """Run a project in the style of AutoGenome.

    CONFIG is its JSON file. CALLS are one or more of train, evaluate, predict and explain, in the order in which they
    are to be run; without train, they use the model that was trained last.
    """
    check_data(Path(config), ": expected a project's JSON file")
    open_project = load_auto()
    with contextlib.nullcontext() if quiet else log_on_standard_output():
        project = open_project(config, verbose=0 if quiet else 1)
        if "explain" in calls:
            project.check_explains()
        run_calls(project, calls)


def run_calls(project: gk.Project, calls: Sequence[str]) -> None:
    """Make the calls one after the other; of an interrupted one, and behind a training that was ended early, it ends."""
    with Interruption() as interruption:
        for place, call in enumerate(calls):
            try:
                getattr(project, call)()
            except KeyboardInterrupt:
                settled = " Run it again: the parameters it had settled are kept." if call == "train" else ""
                say(f"\nInterrupted in {call}.{settled}", err=True)
                raise click.exceptions.Exit(interruption.exit_code) from None
            if call == "train" and project.interrupted:
                left = ", ".join(calls[place + 1 :])
                missing = f" Not done: {left}." if left else ""
                say(
                    f"\nInterrupted in train: the best so far is saved.{missing} Run it again to go on.",
                    err=True,
                )
                raise click.exceptions.Exit(interruption.exit_code if left else 0)


class _Echo(logging.Handler):
    """Unlike logging's own handlers, this one lets a closed pipe end the command."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


@contextlib.contextmanager
def log_on_standard_output() -> Iterator[None]:
    """Print what projects say, which is all there is to print, to standard output."""
    package, handler = logging.getLogger("genokeras"), _Echo()
    handler.addFilter(logging.Filter("genokeras.projects"))
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(level)
