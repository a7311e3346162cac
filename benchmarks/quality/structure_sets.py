"""Sets where what is looked at together decides: six planted tasks whose true probabilities are known, and four real sets.

Planted values are on a logarithmic scale, each gene with its own mean and spread. Noise is stated twice: how much of a gene's variance
is its own (the rest is a signal that it shares with others), and what the label leaves open, which is the log loss of the true
probabilities: the oracle. It knows the signals behind the genes, so that no method need be able to reach it.

The sizes were chosen without looking at any search: logistic regression is at chance or clearly behind there, while a method that is
given the structure (products of the first ten principal components, or an RBF kernel on the forty genes that correlate most with
the label) is far ahead of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from benchmarks.quality.evaluate import outer_folds
from benchmarks.quality.regression_sets import folds_of, read_regression_set
from benchmarks.quality.sets import read_set
from genokeras.support.wording import did_you_mean

# Fresh samples that a planted task is judged on.
HELD_OUT = 2000
FOLDS = 5

# Name to first column and the one behind the last: what a user with several omics would name.
Blocks = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples of a planted task: ``x`` ``(n, p)`` float32, the probability of class 1 ``(n,)``, and its blocks."""

    x: np.ndarray
    probability: np.ndarray
    blocks: Blocks


@dataclass(frozen=True)
class Planted:
    """A task: how it is drawn, samples to train on, columns, and its noise in a few words.

    Own variance is noise in the genes that show a signal, idle genes show none, flips are labels against what the genes say. Where no
    flips are stated, the label is drawn with a logit's probability; see the docstring of ``draw``.
    """

    draw: Callable[[np.random.Generator, int, int], Drawn]
    n: int
    p: int
    noise: str


@dataclass(frozen=True, eq=False)
class StructureSet:
    """One outer split of a set.

    Attributes
    ----------
    name : str
    x, y : numpy.ndarray
        ``(n, p)`` float32, and ``(n,)`` class numbers (integers) or numbers (floats).
    train, test : numpy.ndarray
        Positions of the rows to fit on, and of those that nothing but the final score looks at.
    groups : numpy.ndarray or None
        Rows of one group are never split.
    blocks : mapping of str to (int, int)
        Column ranges; empty where the set has none.
    truth : numpy.ndarray or None
        ``(n, 2)`` true probabilities of a planted task.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    train: np.ndarray
    test: np.ndarray
    groups: np.ndarray | None
    blocks: Blocks
    truth: np.ndarray | None = None

    @property
    def is_numbers(self) -> bool:
        """Whether a number is predicted, not a class."""
        return self.y.dtype.kind == "f"

    @property
    def train_groups(self) -> np.ndarray | None:
        return None if self.groups is None else self.groups[self.train]


def gene_pairs(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """Products of gene pairs: logit 2.5 (a' b' + c' d' - 0.98) of four independent genes, with a' = a + 0.7 in standard deviations.

    Noise: all other genes have nothing to say; the label is drawn with the logit's probability. As both genes of a pair are above
    0 on average, each tells a little alone, as receptors and ligands do.
    """
    z = rng.normal(size=(n, p))
    a, b, c, d = z[:, rng.permutation(p)[:4]].T + 0.7
    return Drawn(_measured(rng, z), expit(2.5 * (a * b + c * d - 0.98)), {"genes": (0, p)})


def gene_xor(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """Exclusive or of two genes: class 1 where exactly one of both is above its median.

    Noise: all other genes have nothing to say; 5 % of the labels are flipped. Either gene alone says nothing.
    """
    z = rng.normal(size=(n, p))
    a, b = z[:, rng.permutation(p)[:2]].T
    return Drawn(_measured(rng, z), np.where((a > 0) != (b > 0), 0.95, 0.05), {"genes": (0, p)})


def pathway_products(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """Products of pathway scores: eight pathways share half of the genes; logit 3 (s1 s2 + s3 s4) of four scores.

    Noise: 60 % of a pathway gene's variance is its own, other genes are noise; the label is drawn with the logit's probability.
    """
    scores = rng.normal(size=(n, 8))
    z = _seen(rng, scores, rng.permutation(np.arange(p) % 16 - 8).clip(-1), own=0.6)
    a, b, c, d = scores[:, :4].T
    return Drawn(_measured(rng, z), expit(3 * (a * b + c * d)), {"genes": (0, p)})


def module_xor(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """XOR of two modules: six modules of 150 genes, each on or off; class 1 where exactly one of the first two is on.

    Noise: 60 % of a module gene's variance is its own, other genes are noise; 5 % of the labels are flipped.
    """
    on = rng.integers(2, size=(n, 6))
    of_gene = rng.permutation(np.where(np.arange(p) < 6 * 150, np.arange(p) % 6, -1))
    z = _seen(rng, 2.0 * on - 1, of_gene, own=0.6)
    return Drawn(_measured(rng, z), np.where(on[:, 0] != on[:, 1], 0.95, 0.05), {"genes": (0, p)})


def block_interaction(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """Label in the interaction of two blocks: logit 4 s t, with s a score of the first block and t one of the second.

    The first nine tenths of the columns are expression with six scores, the last tenth are methylation between 0 and 1 with two.

    Noise: 70 % of a column's variance is its own, measured before methylation is squeezed between 0 and 1; the label is drawn with the logit's probability.
    """
    wide = p - p // 10
    expression, methylation = rng.normal(size=(n, 6)), rng.normal(size=(n, 2))
    first = _seen(rng, expression, rng.integers(6, size=wide), own=0.7)
    second = _seen(rng, methylation, rng.integers(2, size=p - wide), own=0.7)
    x = np.hstack([_measured(rng, first), expit(second + rng.normal(size=p - wide))]).astype("float32")
    blocks = {"expression": (0, wide), "methylation": (wide, p)}
    return Drawn(x, expit(4 * expression[:, 0] * methylation[:, 0]), blocks)


def subtype_thresholds(rng: np.random.Generator, n: int, p: int) -> Drawn:
    """Thresholds within subtypes: three subtypes, each seen through 50 genes, say which of three further genes matters.

    In subtype k the sample is of class 1 where gene k is above its threshold, or below it in the second subtype.

    Noise: 60 % of a subtype gene's variance is its own, the three genes are seen as they are, other genes are noise; 8 % of the
    labels are flipped.
    """
    subtype = rng.integers(3, size=n)
    of_gene = np.where(np.arange(p) < 150, np.arange(p) % 3, -1)
    is_of = (np.eye(3)[subtype] - 1 / 3) / np.sqrt(2 / 9)
    z = _seen(rng, is_of, of_gene, own=0.6)
    deciding, thresholds, signs = z[:, -3:], np.array([-0.3, 0.0, 0.3]), np.array([1, -1, 1])
    above = signs * (deciding - thresholds) > 0
    probability = np.where(above[np.arange(n), subtype], 0.92, 0.08)
    return Drawn(_measured(rng, z)[:, rng.permutation(p)], probability, {"genes": (0, p)})


PLANTED = {
    "gene_pairs": Planted(gene_pairs, 2000, 500, "own variance 0 %, idle 496 of 500"),
    "gene_xor": Planted(gene_xor, 300, 1000, "idle 998 of 1000, flips 5 %"),
    "pathways": Planted(pathway_products, 800, 2000, "own variance 60 %, idle 50 %"),
    "module_xor": Planted(module_xor, 400, 3000, "own variance 60 %, idle 70 %, flips 5 %"),
    "two_blocks": Planted(block_interaction, 600, 5000, "own variance 70 %"),
    "subtypes": Planted(subtype_thresholds, 1500, 1000, "own variance 60 %, idle 85 %, flips 8 %"),
}
# Short names for tables, and the files they are.
REAL = {
    "pbmc68k": "pbmc68k_reduced",
    "pam50": "gse96058_breast_pam50",
    "christensen": "christensen_methylation",
    "brain_age": "brain_age_regression",
}
NAMES = (*PLANTED, *REAL)


def read_structure_set(folder: str | Path | None, name: str, seed: int) -> StructureSet:
    """One outer split of a set: a planted task is drawn anew by its seed, of a real set fold ``seed`` (modulo 5) is held out.

    Parameters
    ----------
    folder : str or Path or None
        Where the files of real sets are.
    name : str
        One of `NAMES`.
    seed : int
    """
    if name in PLANTED:
        return _planted(name, seed)
    if name not in REAL:
        raise SystemExit(
            f"there is no set {name!r}; there are {', '.join(NAMES)}.{did_you_mean(name, NAMES)}"
        )
    if folder is None:
        raise SystemExit(f"the set {name} needs --data, the folder that has {REAL[name]}.")
    if name == "brain_age":
        numbers = read_regression_set(folder, REAL[name])
        train, test = list(folds_of(numbers, FOLDS))[seed % FOLDS]
        return StructureSet(name, numbers.x, numbers.y, train, test, numbers.groups, {})
    data = read_set(folder, REAL[name])
    train, test = list(outer_folds(data, FOLDS))[seed % FOLDS]
    return StructureSet(name, data.x, data.codes, train, test, data.groups, {})


def _planted(name: str, seed: int) -> StructureSet:
    task = PLANTED[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    drawn = task.draw(rng, task.n + HELD_OUT, task.p)
    y = (rng.random(len(drawn.x)) < drawn.probability).astype(int)
    truth = np.column_stack([1 - drawn.probability, drawn.probability])
    train, test = np.split(np.arange(len(y)), [task.n])
    return StructureSet(name, drawn.x, y, train, test, None, drawn.blocks, truth)


def _seen(rng: np.random.Generator, signals: np.ndarray, of_gene: np.ndarray, own: float) -> np.ndarray:
    """``(n, genes)``: each gene shows one of the ``(n, k)`` signals of variance 1, or none where it is -1, with either sign."""
    z = rng.normal(size=(len(signals), len(of_gene)))
    shows = of_gene >= 0
    sign = rng.choice([-1.0, 1.0], size=int(shows.sum()))
    z[:, shows] = np.sqrt(1 - own) * sign * signals[:, of_gene[shows]] + np.sqrt(own) * z[:, shows]
    return z


def _measured(rng: np.random.Generator, z: np.ndarray) -> np.ndarray:
    """Standardised values in the units of log expression."""
    mean, spread = rng.uniform(4, 12, z.shape[1]), rng.uniform(0.4, 1.2, z.shape[1])
    return (mean + spread * z).astype("float32")
