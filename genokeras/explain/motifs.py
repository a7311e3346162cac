"""What the first layer of a network looks for, as motifs in MEME format.

A filter's motif is the mean of the sequences' windows that it answers to with more than half of its largest answer, the best
window of each sequence (Alipanahi et al. 2015, Nature Biotechnology 33: 831-838, supplementary note 10.2).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genokeras.features import one_hot, reverse_complement
from genokeras.graph import Conv, Graph, Weights
from genokeras.support.files import write_text

MOST_SEQUENCES = 2000
THRESHOLD = 0.5
_BLOCK_NUMBERS = 8_000_000


@dataclass(frozen=True, eq=False)
class Motif:
    """What one filter answers to.

    Attributes
    ----------
    name : str
    probabilities : numpy.ndarray
        ``(width, 4)`` of A, C, G, T; rows sum to 1.
    n_sites : int
        Windows they are the mean of.
    """

    name: str
    probabilities: np.ndarray
    n_sites: int

    @property
    def consensus(self) -> str:
        """The most frequent base at each place."""
        return "".join("ACGT"[i] for i in self.probabilities.argmax(axis=1))

    @property
    def information(self) -> float:
        """Bits, summed over places: 2 for a place with one base alone (Schneider and Stephens 1990)."""
        p = np.maximum(self.probabilities, 1e-9)
        return float((2 + (p * np.log2(p)).sum(axis=1)).sum())


def filter_motifs(graph: Graph, weights: Weights, codes: np.ndarray, name: str) -> list[Motif]:
    """Motifs of the filters that read the letters themselves, those with most information first.

    Parameters
    ----------
    graph : Graph
    weights : Weights
        Leading axis: members.
    codes : numpy.ndarray
        ``(n_sequences, length)`` uint8; see :mod:`genokeras.features.sequence_encoding`.
    name : str
        Of the network; motifs are called ``<name>_<member>_<filter>``.
    """
    found = []
    for layer in graph.layers:
        if not isinstance(layer.spec, Conv) or layer.inputs != (graph.input,):
            continue
        arrays = weights[layer.id]
        for member, kernel in enumerate(arrays["kernel"]):
            # Channels beside the letters are the same at every place, and change no filter's choice of a window.
            windows, strands = _best_windows(codes[:MOST_SEQUENCES], kernel[:, :4], layer.spec.both_strands)
            for number in range(kernel.shape[-1]):
                motif = _motif(windows[:, number], strands[:, number], codes[:MOST_SEQUENCES], len(kernel))
                if motif is not None:
                    found.append(Motif(f"{name}_{member}_{number}", *motif))
    return sorted(found, key=lambda motif: -motif.information)


def _best_windows(codes: np.ndarray, kernel: np.ndarray, both_strands: bool) -> tuple[np.ndarray, np.ndarray]:
    """Where each filter answers most in each sequence, on which strand; -1 where that is below the threshold.

    Returns two arrays ``(n_sequences, n_filters)``: starts, counted on the strand they are found on, and 0 or 1.
    """
    width, _, n_filters = kernel.shape
    flat = kernel.reshape(width * 4, n_filters)
    best = np.full((2 if both_strands else 1, len(codes), n_filters), -np.inf)
    starts = np.zeros(best.shape, dtype=np.int64)
    size = max(1, _BLOCK_NUMBERS // (codes.shape[1] * max(width * 4, n_filters)))
    for strand, letters in enumerate((codes, reverse_complement(codes, keep_padding=False))[: len(best)]):
        for first in range(0, len(codes), size):
            x = one_hot(letters[first : first + size])
            windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=1)  # (n, places, 4, width)
            answers = windows.transpose(0, 1, 3, 2).reshape(len(x), -1, width * 4) @ flat
            best[strand, first : first + size] = answers.max(axis=1)
            starts[strand, first : first + size] = answers.argmax(axis=1)
    strands = best.argmax(axis=0)
    highest = best.max(axis=0)
    chosen = np.take_along_axis(starts, strands[None], axis=0)[0]
    largest = highest.max(axis=0)
    return np.where((highest > THRESHOLD * largest) & (largest > 0), chosen, -1), strands


def _motif(
    starts: np.ndarray, strands: np.ndarray, codes: np.ndarray, width: int
) -> tuple[np.ndarray, int] | None:
    there = np.flatnonzero(starts >= 0)
    if not len(there):
        return None
    turned = reverse_complement(codes[there], keep_padding=False)
    letters = np.where(strands[there, None] == 1, turned, codes[there])
    windows = np.take_along_axis(letters, starts[there, None] + np.arange(width), axis=1)
    counts = one_hot(windows).sum(axis=0)
    # A window at the end may reach into padding.
    counts += 1e-3
    return counts / counts.sum(axis=1, keepdims=True), len(there)


def write_meme(motifs: Sequence[Motif], path: str | os.PathLike[str], both_strands: bool = True) -> Path:
    """Write motifs as a minimal MEME file, which the tools of the MEME suite read.

    Parameters
    ----------
    motifs : sequence of Motif
    path : path-like
    both_strands : bool
        Whether motifs may be on either strand: tools then look for them on both. False of sequences that have a direction.

    Raises
    ------
    RunFolderError
        If the file cannot be written.
    """
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -" if both_strands else "strands: +", ""]
    lines += ["Background letter frequencies", "A 0.25 C 0.25 G 0.25 T 0.25", ""]
    for motif in motifs:
        width = len(motif.probabilities)
        lines.append(f"MOTIF {motif.name} {motif.consensus}")
        lines.append(f"letter-probability matrix: alength= 4 w= {width} nsites= {motif.n_sites} E= 0")
        lines += [" ".join(f"{p:.6f}" for p in row) for row in motif.probabilities]
        lines.append("")
    return write_text(path, "\n".join(lines))
