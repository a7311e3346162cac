"""Pieces of a web page that stands on its own: text that is escaped, tables that scroll, pictures that lie inside.

The HTML is in ``templates/``. Whatever is passed as text is escaped there; the functions return HTML, marked as such.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from html import escape as html_escape
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from genokeras.report.picture import rendered
from genokeras.visible import visible

_LARGEST_DRAWING = 150_000
_BUDGET = 2_700_000
# Inches of a picture from which on a narrow window scrolls it, and rem of an inch that its letters need to be read.
_BROAD, _LEAST = 7.5, 4.6


def escape(text: str) -> str:
    """Text as HTML shows it, its control characters as codes."""
    return html_escape(visible(text))


def _shown(value: Any) -> Any:
    return value if isinstance(value, Markup) else visible(str(value))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("genokeras.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


@cache
def _file(name: str) -> str:
    """A style or a script, which are no templates."""
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _part(name: str, *values: Any) -> Markup:
    macro = getattr(_environment().get_template("parts.html").module, name)
    found: Markup = macro(*values)
    return found


def page(title: str, body: str) -> str:
    """A whole page around a body that is HTML already; its title is text."""
    script = _file("sort.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            body=Markup(body),
            style=Markup(_file("style.css")),
            script=Markup(script),
            script_hash=f"sha256-{digest}",
        )
    )


def heading(text: str) -> str:
    """The page's own heading."""
    return _part("heading", text)


def contents(links: Iterable[tuple[str, str]]) -> str:
    """Links to sections: the name and the title of each."""
    return _part("contents", list(links))


def section(name: str, title: str, *parts: str) -> str:
    """A headed part of the page that links can lead to; `parts` are HTML."""
    return _part("section", name, title, [Markup(part) for part in parts])


def subheading(text: str) -> str:
    """A heading within a section."""
    return _part("subheading", text)


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of text."""
    return _part("paragraph", text, kind)


def bullets(items: Iterable[str]) -> str:
    """A list of texts."""
    return _part("bullets", list(items))


def code(text: str) -> str:
    """A listing."""
    return _part("code", text)


def side_by_side(parts: Sequence[str], kind: str = "") -> str:
    """Parts that are HTML beside each other where the window is wide enough, else below each other.

    Parameters
    ----------
    parts : sequence of str
    kind : {"", "apart", "led"}
        Small pictures; wide parts, which need a wide window; a picture that leads a table.
    """
    return _part("side_by_side", [Markup(part) for part in parts], kind)


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Collection[int] = (),
    long: Collection[int] = (),
) -> str:
    """A table that scrolls sideways where the window is narrow, and that a click on a column's head sorts.

    Parameters
    ----------
    caption : str
    head : sequence of str
    rows : iterable of sequence
        Cells are texts, or shown as ``str`` has them.
    numbers, long : collection of int
        Columns that are set to the right and sorted as numbers, and those whose lines are broken.

    Raises
    ------
    ValueError
        If a row is longer or shorter than the head.
    """
    held = [list(row) for row in rows]
    if any(len(row) != len(head) for row in held):
        raise ValueError(f"every row of {caption!r} must have {len(head)} cells.")
    return _part("table", caption, list(head), held, list(numbers), list(long))


class Pictures:
    """Puts pictures into a page, and minds how large they are together.

    Parameters
    ----------
    budget : int
        Bytes that all pictures of the page may take.
    largest_drawing : int
        Bytes of a vector drawing; beyond, a picture is put in as PNG where that is smaller.
    """

    def __init__(self, budget: int = _BUDGET, largest_drawing: int = _LARGEST_DRAWING) -> None:
        self.left = budget
        self.largest_drawing = largest_drawing

    def figure(self, picture: Figure, alt: str, caption: str = "") -> str:
        """HTML of a picture, of its words alone where there is no room left for it.

        A data URI rather than inline SVG: identifiers of one drawing cannot clash with those of another, and nothing in
        it can run.
        """
        found = self._encoded(picture)
        if found is None:
            return paragraph(f"(Picture left out to keep this file small.) {alt}", "faint")
        width = picture.get_figwidth()
        return _part("figure", found, alt, caption, round(width * _LEAST) if width > _BROAD else 0)

    def _encoded(self, picture: Figure) -> str | None:
        kind, content = "svg+xml", rendered(picture, "svg")
        if len(content) > self.largest_drawing:
            pixels = rendered(picture, "png")
            if len(pixels) < len(content):
                kind, content = "png", pixels
        uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        if len(uri) > self.left:
            return None
        self.left -= len(uri)
        return uri
