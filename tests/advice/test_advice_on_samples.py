"""Advice on images, sequences and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import genokeras as gk
from tests.advice.cases import (
    RNG,
    Case,
    follow,
    named,
    put,
)

PIXELS = RNG.integers(0, 255, (8, 9, 3)).astype("uint8")
load, images, sequences, texts = gk.load_dataset, gk.load_images, gk.load_sequences, gk.load_texts
LETTERS = ["ACGTACGT", "GGGTACCA", "ACGGTTTA"]
FASTER = pd.DataFrame({"seq": LETTERS, "label": ["a", "b", "a"]})


def picture(folder: Path, name: str = "a/1.png", pixels: np.ndarray = PIXELS, **options: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def two_sizes(folder: Path) -> Path:
    picture(folder, "all/a/1.png")
    picture(folder, "all/b/2.png", PIXELS[:5])
    return folder / "all"


def parts(folder: Path) -> Path:
    for part in ("train", "test"):
        for kind in ("ill", "well"):
            put(folder, f"all/{part}/{kind}/1.txt", f"{kind} words")
    return folder / "all"


def stack(folder: Path) -> Path:
    pages = [Image.fromarray(PIXELS), Image.fromarray(PIXELS)]
    (folder / "s").mkdir()
    pages[0].save(folder / "s" / "a.tif", save_all=True, append_images=pages[1:])
    return folder / "s"


SHAPED = [
    Case(
        "a single image",
        lambda p: images(picture(p)),
        "pass the folder it lies in",
        lambda p: images(picture(p).parent),
    ),
    Case(
        "pages of a stack",
        lambda p: images(stack(p)),
        "Save the page or the projection that counts, or pass the pages as an array",
        lambda p: [images(picture(p, "b/a.tif").parent), images(np.stack([PIXELS, PIXELS]))],
    ),
    Case(
        "sizes",
        lambda p: images(two_sizes(p)),
        r"gk.load_images\(..., size=\((8|5), 9\)\)",
        lambda p: images(two_sizes(p), size=(8, 9)),
    ),
    Case(
        "channels first",
        lambda p: images(np.zeros((5, 3, 20, 20), "uint8")),
        r"read them with gk.load_images\(x, channels_first=True\), or pass x.transpose\(0, 2, 3, 1\)",
        lambda p: [
            images(np.zeros((5, 3, 20, 20), "uint8"), channels_first=True),
            images(np.zeros((5, 3, 20, 20), "uint8").transpose(0, 2, 3, 1)),
        ],
    ),
    Case(
        "one image", lambda p: images(PIXELS), r"pass x\[np.newaxis\]", lambda p: images(PIXELS[np.newaxis])
    ),
    Case(
        "parts as classes",
        lambda p: texts(parts(p)),
        "Read one of them at a time: '.*train' to fit",
        lambda p: texts(parts(p) / "train"),
    ),
    Case(
        "repeated names",
        lambda p: sequences(put(p, "x.fa", ">a\nACGT\n>a\nACGG\n")),
        "Give every sample a name of its own",
        lambda p: sequences(put(p, "x.fa", ">a\nACGT\n>b\nACGG\n")),
    ),
    Case(
        "the column of sequences",
        lambda p: sequences(FASTER.rename(columns={"seq": "bases"}), "label"),
        "Name the column with sequence_column=",
        lambda p: sequences(FASTER.rename(columns={"seq": "bases"}), "label", sequence_column="bases"),
    ),
    Case(
        "the column of texts",
        lambda p: texts(pd.DataFrame({"words": ["one two", "three"], "label": ["a", "b"]}), "label"),
        "Name the column with text_column=",
        lambda p: texts(
            pd.DataFrame({"words": ["one two", "three"], "label": ["a", "b"]}), "label", text_column="words"
        ),
    ),
    Case(
        "both U and T",
        lambda p: sequences(["ACGU", "ACTU"]),
        "Write each as RNA .U. or as DNA",
        lambda p: [sequences(["ACGU", "ACUU"]), sequences(["ACGU", "ACTT"])],
    ),
    Case("empty sequences", lambda p: sequences(["ACGT", ""]), "Drop it", lambda p: sequences(["ACGT"])),
    Case(
        "unknown letters",
        lambda p: sequences(["ACGT", "AC?T"]),
        "unknown='n'",
        lambda p: sequences(["ACGT", "AC?T"], unknown="n"),
    ),
    Case(
        "empty texts",
        lambda p: texts(["one", ""]),
        "Drop it, or pass empty='keep'",
        lambda p: [texts(["one"]), texts(["one", ""], empty="keep")],
    ),
    Case(
        "numbers beside sequences",
        lambda p: sequences(LETTERS, extra=np.array([[1.0], [np.nan], [2.0]])),
        "Fill them or drop these samples",
        lambda p: sequences(LETTERS, extra=np.array([[1.0], [1.5], [2.0]])),
    ),
    Case(
        "text with commas",
        lambda p: texts(put(p, "x.csv", "text,label\none, two,a\n")),
        "Put quotes around texts that hold ','",
        lambda p: texts(put(p, "x.csv", 'text,label\n"one, two",a\n')),
    ),
]


@pytest.mark.parametrize("case", named([*SHAPED]))
def test_who_follows_the_advice_gets_on(case: Case, tmp_path: Path) -> None:
    follow(case, tmp_path)
