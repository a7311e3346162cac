"""Figures that notebooks show, though they belong to no window."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

PIXELS_PER_INCH = 150
# Of a page: what a browser calls a pixel.
_CSS_PIXELS_PER_INCH = 96
# Where a PNG says how wide and how high it is.
_WIDTH, _HEIGHT = slice(16, 20), slice(20, 24)


class ShownFigure(Figure):
    """A Matplotlib figure that is seen where it is the last line of a notebook's cell.

    Attributes
    ----------
    alt : str
        What it shows, in a sentence or two.
    """

    alt: str = ""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        """The picture, finer than a page's pixels, with its size on the page and its words."""
        content = self._png()
        scale = _CSS_PIXELS_PER_INCH / PIXELS_PER_INCH
        width, height = (round(scale * int.from_bytes(content[part])) for part in (_WIDTH, _HEIGHT))
        words = {"alt": self.alt} if self.alt else {}
        return content, {"width": width, "height": height, **words}

    def _png(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=PIXELS_PER_INCH, bbox_inches="tight", pad_inches=0.1)
        return content.getvalue()
