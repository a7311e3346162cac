"""``genokeras doctor``: what GenoKeras runs on, what is missing, and the command that installs it."""

from __future__ import annotations

import platform
import shutil
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import genokeras as gk
from genokeras.cli.group import debug_option, say
from genokeras.cli.surroundings import (
    BACKENDS,
    PACKAGES,
    Backend,
    chosen_backend,
    has_nvidia_driver,
    start_backend,
    unmet_requirements,
    version_of,
)

_WIDTH = 80
_COLUMN = 14
_WRONG = 1
_GRAPHVIZ = "drawings are written as source: apt install graphviz, brew install graphviz, or https://graphviz.org/download"


@click.command()
@debug_option
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say what GenoKeras runs on, and what is missing.

    The backend and its devices, versions, extras with the command that installs
    them. Copy it into a report of a problem. The exit code is 1 where GenoKeras
    cannot work as it is.
    """
    wrong: list[str] = []
    backend = start_backend()
    for title, lines in (
        ("", _about()),
        ("Backend", _about_backend(backend, wrong)),
        ("Packages", _about_packages(wrong)),
        ("Extras, for what only some people need", _about_extras(wrong)),
        ("Programs", _about_programs()),
    ):
        if title:
            say(f"\n{title}")
        for line in lines:
            say(line)
    say()
    for sentence in wrong or ["GenoKeras can work."]:
        say(textwrap.fill(sentence, _WIDTH))
    if wrong:
        ctx.exit(_WRONG)


def _entry(name: str, text: str) -> str:
    """``  name          text``, 80 columns wide; what cannot be broken, such as a path, stays whole."""
    lead = f"  {name:<{_COLUMN}}"
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _about() -> Iterator[str]:
    place = str(Path(gk.__file__).parent)
    yield _entry("genokeras", f"{gk.__version__} in {place}")
    yield _entry("python", f"{platform.python_version()} ({sys.executable})")
    yield _entry("system", f"{platform.platform(terse=True)} {platform.machine()}{_of_machine()}")


def _of_machine() -> str:
    try:
        cores = import_module("genokeras.support.processes").usable_cores()
        limits = import_module("genokeras.support.memory_limits")
        left = limits.memory_left()
    except Exception:  # packages that do not import are told of below
        return ""
    memory = "" if left is None else f", {limits.size_text(left)} of memory free"
    return f"; {cores} processor{'' if cores == 1 else 's'}{memory}"


def _about_backend(backend: Backend, wrong: list[str]) -> Iterator[str]:
    name, by = chosen_backend()
    others = ", ".join(other for other in BACKENDS if other != name and version_of(other))
    also = f"; KERAS_BACKEND may choose {others}" if others else ""
    if backend.failed:
        yield _entry(name, f"does not start; {by}{also}")
        for line in backend.said.splitlines():
            yield _entry("", line)
        cure = (
            f"Install it again (pip install --force-reinstall {name}), or choose another one by KERAS_BACKEND."
            if name in BACKENDS
            else f"Choose {', '.join(BACKENDS[:-1])} or {BACKENDS[-1]} by KERAS_BACKEND."
        )
        wrong.append(f"The backend {name} does not start: {backend.failed.rstrip('.')}. {cure}")
        return
    yield _entry(backend.name, f"{backend.version}, {by}{also}")
    cards = backend.graphics_cards
    yield _entry("devices", ", ".join(backend.devices) if cards else f"{', '.join(backend.devices)}; no GPU")
    if has_nvidia_driver() and not cards:
        yield _entry("", f"There is a driver of NVIDIA, but {backend.name} finds no GPU. It says:")
        for line in backend.said.splitlines():
            yield _entry("", line)


def _about_packages(wrong: list[str]) -> Iterator[str]:
    known = {package: version_of(package) for package in (*PACKAGES, *BACKENDS)}
    listed = ", ".join(f"{package} {version}" for package, version in known.items() if version is not None)
    yield textwrap.indent(textwrap.fill(listed, _WIDTH - 2, break_on_hyphens=False), "  ")
    try:
        unmet = unmet_requirements()
    except Exception as error:
        wrong.append(f"What GenoKeras needs cannot be read ({error}): install it again by pip.")
        return
    if unmet:
        wrong.append(
            f"GenoKeras needs {', '.join(unmet)}: pip install --upgrade genokeras brings what is missing."
        )


def _about_extras(wrong: list[str]) -> Iterator[str]:
    try:
        extras = import_module("genokeras.support.extras")
    except Exception as error:
        wrong.append(f"GenoKeras cannot be imported: {type(error).__name__}: {error}")
        return
    for name, extra in extras.EXTRAS.items():
        if extra.missing:
            yield _entry(name, f"{extra.purpose}: not installed")
            yield _entry("", extras.install_command(name))
        else:
            yield _entry(name, f"{extra.purpose}: installed")


def _about_programs() -> Iterator[str]:
    dot = shutil.which("dot")
    yield _entry("dot", f"{dot} (Graphviz, which draws networks)" if dot else f"not found; {_GRAPHVIZ}")
