"""One picture of Pillow, in a file or in memory, as pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from genokeras.errors import DataError, DataFileError
from genokeras.support.wording import counted, listed

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_ORIENTATION = 0x0112  # of EXIF: 1 is upright, and what is not among those turned says nothing
_TURNED = range(2, 9)
_16_BITS = re.compile(r";16[BLN]")  # in what Pillow decodes, before it does
# Fewer pictures may happen to be that dark.
_SEVERAL, _DARK = 5, 16
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that was read.

    Attributes
    ----------
    pixels : ndarray of uint8 or float32, shape (height, width, 1) or (height, width, 3)
    turned : bool
        Whether it was turned as the camera noted.
    frames : int
        How many the file holds; the first was read.
    cut : bool
        Whether it has 16 bits a colour, of which Pillow reads the upper 8.
    """

    pixels: np.ndarray
    turned: bool
    frames: int
    cut: bool


def read_picture(given: Path | Image.Image, name: str) -> Picture:
    """Read a picture: grey, or red, green and blue; transparency is dropped. Of an image in memory, the frame that is shown.

    Raises
    ------
    DataFileError
        Where a file is truncated, no picture, a stack of pages, or has more pixels than Pillow reads.
    """
    try:
        if isinstance(given, Image.Image):
            cut = _is_cut(given)
            return _upright(_loaded(given, name), frames=1, cut=cut)
        with Image.open(given) as picture:
            frames = int(getattr(picture, "n_frames", 1))
            if frames > 1 and picture.format == "TIFF" and _of_one_size(picture, frames):
                raise DataFileError(
                    f"{name} is a stack of {frames} pages: expected one image a file. Save the page or the projection that counts, "
                    "or pass the pages as an array."
                )
            return _upright(picture, frames, _is_cut(picture))
    except DataFileError:  # an OSError, too
        raise
    except Image.DecompressionBombError as error:
        size = str(error).partition(",")[0]  # behind the comma it suspects an attack
        raise DataFileError(
            f"{name} is larger than Pillow reads: {size}. Resize the picture, or cut it into tiles. If you trust it, raise "
            "PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataFileError(f"{name} is truncated, damaged or no image ({error}).") from error


def _loaded(picture: Image.Image, name: str) -> Image.Image:
    try:
        picture.load()
    except (AssertionError, AttributeError, ValueError) as error:  # of Pillow, by its version
        raise DataFileError(
            f"{name}: the file of this image was closed before it was read. Call load() of each image while its file is open."
        ) from error
    return picture


def _upright(picture: Image.Image, frames: int, cut: bool) -> Picture:
    turned = picture.getexif().get(_ORIENTATION, 1) in _TURNED
    upright = ImageOps.exif_transpose(picture) if turned else picture
    if upright.mode in _DEEP:
        pixels = np.asarray(upright).astype(np.float32)
    else:
        mode = "L" if upright.mode in ("1", "L", "LA") else "RGB"
        pixels = np.array(upright.convert(mode), dtype=np.uint8)
    return Picture(pixels[..., np.newaxis] if pixels.ndim == 2 else pixels, turned, frames, cut)


def _is_cut(picture: Image.Image) -> bool:
    """Whether an image that is not loaded yet will be read with fewer bits than its file has."""
    parts = getattr(picture, "tile", ())
    return picture.mode not in _DEEP and any(_16_BITS.search(str(part[3])) for part in parts)


def _of_one_size(picture: Image.Image, frames: int) -> bool:
    """Whether all pages are alike: those of a pyramid, or a small preview, have other sizes."""
    sizes = set()
    for page in range(frames):
        picture.seek(page)
        sizes.add(picture.size)
    picture.seek(0)
    return len(sizes) == 1


def check_levels(read: Mapping[str, Picture], source: str) -> None:
    """Raise where pictures, by name, have 16 bits a colour and hardly anything in those that are read."""
    cut = {name: picture for name, picture in read.items() if picture.cut}
    brightest = max((int(picture.pixels.max()) for picture in cut.values()), default=0)
    if len(cut) >= _SEVERAL and brightest < _DARK:
        raise DataError(
            f"{source}: {len(cut)} images have 16 bits a colour, of which only the upper 8 can be read, and these reach {brightest} of "
            f"255: {listed(cut, 5)}. Save them with 8 bits, scaled to 0 to 255, or pass their pixels as an array."
        )


def reading_notes(read: Mapping[str, Picture]) -> tuple[str, ...]:
    """What was done to pictures, by name, as sentences."""
    notes = []
    turned = sum(picture.turned for picture in read.values())
    if turned:
        notes.append(f"{counted(turned, 'image was', 'images were')} turned upright, as the camera noted.")
    cut = [name for name, picture in read.items() if picture.cut]
    if cut:
        notes.append(
            f"{counted(len(cut), 'image')} of 16 bits a colour {'was' if len(cut) == 1 else 'were'} read with 8 bits: {listed(cut, 5)}."
        )
    several = [name for name, picture in read.items() if picture.frames > 1]
    if several:
        notes.append(f"Of files with several frames the first was read: {listed(several, 5)}.")
    return tuple(notes)
