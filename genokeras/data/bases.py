"""The letters of DNA and RNA as sets of bases: one bit for each of A, C, G and T.

| letter | bases | | letter | bases | | letter | bases |
|---|---|---|---|---|---|---|---|
| A, C, G, T | themselves | | S | C or G | | B | all but A |
| U | as T | | W | A or T | | D | all but C |
| R | A or G | | K | G or T | | H | all but G |
| Y | C or T | | M | A or C | | V | all but T |
| | | | | | | N | any |

A code is the sum of A = 1, C = 2, G = 4, T = 8, so that the code of a complement is its four bits read backwards. Code 0
means that there is nothing: padding, or a row of zeros in a one-hot array. The letters are those of Cornish-Bowden
(1985), Nucleic Acids Research 13, 3021-3030.
"""

from __future__ import annotations

import numpy as np

BASES = "ACGT"
# The letter of each code; a place without any base is written as a gap.
LETTERS = "-ACMGRSVTWYHKDBN"
ANY = 15
NO_BASE = 255


def _codes_of_bytes() -> np.ndarray:
    codes = np.full(256, NO_BASE, dtype=np.uint8)
    for code, letter in enumerate(LETTERS):
        if code:
            codes[[ord(letter), ord(letter.lower())]] = code
    codes[[ord("U"), ord("u")]] = 1 << BASES.index("T")
    codes.flags.writeable = False
    return codes


def _complements() -> np.ndarray:
    complements = np.array([int(f"{code:04b}"[::-1], 2) for code in range(16)], dtype=np.uint8)
    complements.flags.writeable = False
    return complements


def _probabilities() -> np.ndarray:
    bits = (np.arange(16)[:, np.newaxis] >> np.arange(4)) & 1
    table = (bits / np.maximum(bits.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    table.flags.writeable = False
    return table


# (256,): the code of each byte, `NO_BASE` where it is no letter of the table; (16,): the code of each complement.
CODE_OF_BYTE = _codes_of_bytes()
COMPLEMENT = _complements()
# (16, 4): the probability of A, C, G and T for each code: R is (.5, 0, .5, 0), N .25 four times, code 0 zeros.
PROBABILITIES = _probabilities()
