"""Names of classes as a picture can show them: shortened where long, and in fonts that are installed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from genokeras.support.wording import listed

FONT = "DejaVu Sans"
# Fonts with the characters that matplotlib's own lacks; whichever of them is installed is used.
_OTHER_FONTS = (
    *(
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
        "Source Han Sans SC",
        "WenQuanYi Zen Hei",
        "Droid Sans Fallback",
    ),
    *("PingFang SC", "Hiragino Sans", "Heiti SC", "Microsoft YaHei", "SimHei", "Yu Gothic", "Malgun Gothic"),
    *("Arial Unicode MS", "Noto Sans"),
)
_LONGEST_NAME = 28

_logger = logging.getLogger(__name__)


def shortened(names: list[str]) -> list[str]:
    """Long names without their middle; several are numbered, so that they cannot be mistaken for each other."""
    short = []
    for number, name in enumerate(names, start=1):
        if name_width(name) <= _LONGEST_NAME:
            short.append(name)
            continue
        tag = f"[{number}] " if len(names) > 1 else ""
        room = _LONGEST_NAME - len(tag) - 1
        if name_width(name) > len(name):  # some characters are twice as wide
            room //= 2
        short.append(f"{tag}{name[: room - room // 2].rstrip()}…{name[-(room // 2) :].lstrip()}")
    return short


def name_width(name: str) -> int:
    """Characters, those of East Asian scripts as two."""
    return sum(2 if ord(character) >= 0x2E80 else 1 for character in name)


def printable(names: Sequence[str], fonts: list[str]) -> list[str]:
    """Names with the characters that cannot be drawn as their codes, such as ``\\u80ba``."""
    shown = _characters(fonts)
    wanted = set("".join(names))
    hidden = {c for c in wanted if c != " " and (not c.isprintable() or ord(c) not in shown)}
    if hidden:
        _logger.warning("No installed font has %s: shown as codes.", listed(sorted(map(ascii, hidden))))
    codes = {ord(c): c.encode("unicode_escape").decode() for c in hidden}
    return [name.translate(codes) for name in names]


def installed_fonts() -> list[str]:
    """Fonts to draw names in: matplotlib's own, then others that are there."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [FONT, *(font for font in _OTHER_FONTS if font in installed)]


def _characters(fonts: list[str]) -> set[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return {code for font in fonts for code in get_font(findfont(FontProperties(family=font))).get_charmap()}
