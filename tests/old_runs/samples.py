"""The samples of the old runs, from numpy alone: the same arrays every time.

Each function takes ``new``: False gives the samples that were trained on, True further ones of the same kind.
"""

from __future__ import annotations

import numpy as np

MOTIF = "GATTACA"
OTHER_STRAND = "TGTAATC"
FILLER = ("the", "film", "was", "and", "plot", "of", "actors", "music")


def _rng(seed, new):
    return np.random.default_rng([seed, int(new)])


# ---- genes


def genes(new=False):
    """24 samples x 30 named genes, two classes, 12 donors of two samples, and a weight each."""
    rng, n = _rng(1, new), 8 if new else 24
    code = np.arange(n) % 2
    x = rng.gamma(4.0, 20.0, size=(n, 30))
    x[code == 1, :5] += 60.0
    return {
        "x": x.astype("float32"),
        "y": np.array(["healthy", "tumour"])[code],
        "names": np.array([f"GENE{i:02d}" for i in range(30)]),
        "groups": np.array([f"donor{i // 2:02d}" for i in range(n)]),
        "sample_weight": np.round(rng.uniform(0.5, 1.5, size=n), 3),
    }


def genes_missing(new=False):
    """24 samples x 30 genes without names, three classes called by numbers, some values NaN."""
    rng, n = _rng(2, new), 9 if new else 24
    code = np.arange(n) % 3
    x = rng.normal(8.0, 2.0, size=(n, 30))
    x[code == 1, :5] += 3.0
    x[code == 2, 5:10] += 3.0
    x[rng.random(x.shape) < 0.04] = np.nan
    return {"x": x.astype("float32"), "y": code + 1}


# ---- sequences


def sequences(new=False):
    """40 sequences of 24 letters; half of them hold a motif."""
    rng, n = _rng(3, new), 10 if new else 40
    code = np.arange(n) % 2
    letters = rng.choice(list("ACGT"), size=(n, 24))
    for i in np.flatnonzero(code):
        start = rng.integers(24 - len(MOTIF) + 1)
        letters[i, start : start + len(MOTIF)] = list(MOTIF)
    return {"x": np.array(["".join(row) for row in letters]), "y": np.array(["other", "bound"])[code]}


def sequence_numbers(new=False):
    """40 sequences of 20 to 26 letters with a number beside each; motifs on either strand raise the target."""
    rng, n = _rng(4, new), 10 if new else 40
    copies = np.arange(n) % 3
    found = []
    for count in copies:
        letters = rng.choice(list("ACGT"), size=rng.integers(20, 27))
        for slot in range(count):
            start = 9 * slot + rng.integers(3)
            letters[start : start + 7] = list(MOTIF if rng.random() < 0.5 else OTHER_STRAND)
        found.append("".join(letters))
    extra = rng.normal(0, 1, size=(n, 1))
    y = 10.0 * copies + 4.0 * extra[:, 0] + rng.normal(0, 0.5, size=n)
    return {"x": np.array(found), "y": np.round(y, 4), "extra": np.round(extra, 4)}


# ---- images


def images(new=False):
    """30 grey images of 8 x 8 pixels: a bright row, a bright column, or neither; also as ``(n, 8, 8, 1)`` for modules."""
    rng, n = _rng(5, new), 9 if new else 30
    code = np.arange(n) % 3
    x = rng.integers(0, 90, size=(n, 8, 8)).astype("uint8")
    for i in range(n):
        place = rng.integers(1, 7)
        if code[i] == 0:
            x[i, place] = 250
        elif code[i] == 1:
            x[i, :, place] = 250
    return {"x": x, "y": np.array(["row", "column", "none"])[code]}


def image_numbers(new=False):
    """30 grey images of 8 x 8 pixels, of noise about a level; two numbers each: the level, and its square root."""
    rng, n = _rng(6, new), 9 if new else 30
    level = rng.uniform(60, 200, size=n)
    x = level[:, None, None] + rng.normal(0, 30, size=(n, 8, 8))
    y = np.round(np.stack([level, np.sqrt(level)], axis=1), 4)
    return {"x": x.clip(0, 255).astype("uint8"), "y": y}


# ---- texts


def texts(new=False):
    """30 texts of filler words with one telling word."""
    rng, n = _rng(7, new), 8 if new else 30
    code = np.arange(n) % 2
    telling = (("awful", "dull"), ("great", "fine"))
    found = []
    for label in code:
        words = [str(word) for word in rng.choice(FILLER, size=rng.integers(3, 7))]
        words.insert(int(rng.integers(len(words) + 1)), telling[label][int(rng.integers(2))])
        found.append(" ".join(words).capitalize() + ".")
    return {"x": np.array(found), "y": np.array(["bad", "good"])[code]}


def text_numbers(new=False):
    """30 texts whose number is that of words of praise, less those of blame."""
    rng, n = _rng(8, new), 8 if new else 30
    found, numbers = [], []
    for _ in range(n):
        good, bad = rng.integers(0, 3, size=2)
        words = [*rng.choice(FILLER, size=4), *["great"] * good, *["dull"] * bad]
        found.append(" ".join(str(word) for word in rng.permutation(words)))
        numbers.append(float(good - bad))
    return {"x": np.array(found), "y": np.array(numbers)}


# ---- arrays for modules, LightModel and gk.run


def rows(new=False):
    """40 rows of 6 numbers and their class, 0 to 2."""
    rng, n = _rng(9, new), 20 if new else 40
    y = np.arange(n) % 3
    x = rng.standard_normal((n, 6))
    x[np.arange(n), y] += 2.0
    return {"x": x.astype("float32"), "y": y}


def module_images(new=False):
    """The images as float32 ``(n, 8, 8, 1)`` from 0 to 1, and class numbers."""
    found = images(new)
    y = np.array([["row", "column", "none"].index(name) for name in found["y"]])
    return {"x": (found["x"][..., None] / 255).astype("float32"), "y": y}


def module_numbers(new=False):
    """40 rows of 5 numbers and two numbers to learn."""
    rng, n = _rng(10, new), 20 if new else 40
    x = rng.standard_normal((n, 5))
    y = np.stack([x[:, 0] - x[:, 1], 0.5 * x[:, 2]], axis=1)
    return {"x": x.astype("float32"), "y": y.astype("float32")}


def rings(new=False):
    """80 points on two rings; y ``(n, 1)`` float32."""
    rng, n = _rng(11, new), 40 if new else 80
    label = np.arange(n) % 2
    radius = np.where(label == 1, 1.0, 2.0) + 0.1 * rng.standard_normal(n)
    angle = 2 * np.pi * rng.random(n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return {"x": x.astype("float32"), "y": label.astype("float32")[:, None]}


def backbone_weights():
    """Kernel and bias of the two convolutions of the tiny backbone, in the order of ``model.get_weights()``."""
    rng = np.random.default_rng(12)
    shapes = ((3, 3, 1, 3), (3,), (3, 3, 3, 4), (4,))
    return [rng.normal(0, 0.4, size=shape).astype("float32") for shape in shapes]


# ---- a project's tables


def project_tables(new=False):
    """40 samples x 20 features without names, and class numbers 0 and 1."""
    rng, n = _rng(13, new), 12 if new else 40
    code = np.arange(n) % 2
    x = rng.standard_normal((n, 20)) * 3 + 5
    x[:, :6] += 4.0 * code[:, None]
    return {"x": np.round(x, 4), "y": code}
