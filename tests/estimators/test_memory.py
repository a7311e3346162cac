"""200 x 50,000 fits into a laptop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import resource
import numpy as np, keras, pandas, anndata
from genokeras import GenomeClassifier
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
x = np.random.default_rng(0).normal(size=(200, 50_000)).astype("float32")
y = np.arange(200) % 2
GenomeClassifier(time_limit=20, random_state=0, verbose=0).fit(x, y)
print(peak() - before)
"""


@pytest.mark.slow
def test_200_samples_of_50000_genes_fit_in_two_gigabytes_above_the_imports():
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert float(done.stdout) < 2048
