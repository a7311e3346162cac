"""Pieces of a web page that stands on its own: text that is escaped, tables that scroll, pictures that lie inside."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from html import escape as html_escape

from matplotlib.figure import Figure

from genokeras.report.picture import rendered
from genokeras.visible import visible

_LARGEST_DRAWING = 250_000
_BUDGET = 3_600_000

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 64rem; background: #fff; color: #1f2933;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: .4rem 0 .2rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .5rem; padding-top: .6rem; border-top: 1px solid #e4e7eb; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p, ul { max-width: 46rem; margin: .5rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; }
a { color: #0b5cad; }
.faint, figcaption { color: #52606d; font-size: .9rem; }
.verdict { border-left: 4px solid #0072b2; background: #f0f6fb; padding: .6rem .9rem; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; overflow-wrap: normal; }
caption { text-align: left; color: #52606d; padding-bottom: .3rem; }
th, td { padding: .28rem .7rem .28rem 0; text-align: left; border-bottom: 1px solid #e4e7eb;
  vertical-align: top; white-space: nowrap; }
td.long { white-space: normal; min-width: 9rem; max-width: 26rem; overflow-wrap: anywhere; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: .8rem 0; overflow-x: auto; }
img { max-width: max(100%, 24rem); height: auto; display: block; }
pre { overflow-x: auto; background: #f5f7fa; padding: .7rem .9rem; font-size: .85rem; line-height: 1.45; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; overflow-wrap: normal; }
@media print { .wide, pre { overflow: visible; } figure { break-inside: avoid; } }
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def escape(text: str) -> str:
    """Text as HTML shows it, its control characters as codes."""
    return html_escape(visible(text))


def page(title: str, body: str) -> str:
    """A whole page around a body that is HTML already; its title is text."""
    return _PAGE.format(title=escape(title), style=STYLE, body=body)


def heading(text: str) -> str:
    """The page's own heading."""
    return f"<h1>{escape(text)}</h1>"


def section(name: str, title: str, *parts: str) -> str:
    """A headed part of the page that links can lead to; `parts` are HTML."""
    return f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n' + "\n".join(parts) + "\n</section>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of text."""
    style = f' class="{escape(kind)}"' if kind else ""
    return f"<p{style}>{escape(text)}</p>"


def bullets(items: Iterable[str]) -> str:
    """A list of texts."""
    return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>"


def code(text: str) -> str:
    """A listing."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Collection[int] = (),
    long: Collection[int] = (),
) -> str:
    """A table that scrolls sideways where the window is narrow.

    Parameters
    ----------
    caption : str
    head : sequence of str
    rows : iterable of sequence
        Cells are texts, or shown as ``str`` has them.
    numbers, long : collection of int
        Columns that are set to the right, and those whose lines are broken.
    """

    def cells(tag: str, values: Sequence[object]) -> str:
        kinds = ["number" if i in numbers else "long" if i in long else "" for i in range(len(values))]
        return "".join(
            f"<{tag}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(str(value))}</{tag}>"
            for kind, value in zip(kinds, values, strict=True)
        )

    body = "\n".join(f"<tr>{cells('td', list(row))}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">\n<table>\n'
        f"<caption>{escape(caption)}</caption>\n<thead><tr>{cells('th', head)}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


class Pictures:
    """Puts pictures into a page, and minds how large they are together.

    Parameters
    ----------
    budget : int
        Bytes that all pictures of the page may take.
    largest_drawing : int
        Bytes of a vector drawing; beyond, a picture is put in as PNG.
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
        below = f"\n<figcaption>{escape(caption)}</figcaption>" if caption else ""
        if found is None:
            return paragraph(f"(Picture left out to keep this file small.) {alt}", "faint")
        return f'<figure>\n<img src="{found}" alt="{escape(alt)}">{below}\n</figure>'

    def _encoded(self, picture: Figure) -> str | None:
        kind, content = "svg+xml", rendered(picture, "svg")
        if len(content) > self.largest_drawing:
            kind, content = "png", rendered(picture, "png")
        uri = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        if len(uri) > self.left:
            return None
        self.left -= len(uri)
        return uri
