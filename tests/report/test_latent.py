"""Pictures of latent vectors."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.report.latent import plot_latent
from genokeras.report.plane import plane_methods

VECTORS = np.random.default_rng(0).normal(size=(12, 4))


def test_components_are_drawn(tmp_path: Path) -> None:
    path = plot_latent(VECTORS, tmp_path / "latent.pdf", labels=["a", "b"] * 6)
    assert path.read_bytes().startswith(b"%PDF")
    again = plot_latent(VECTORS, tmp_path / "again.pdf", labels=["a", "b"] * 6)
    assert path.read_bytes() == again.read_bytes()


def test_one_number_a_sample_can_be_drawn(tmp_path: Path) -> None:
    assert plot_latent(VECTORS[:, :1], tmp_path / "latent.pdf").is_file()


def test_umap_is_drawn_where_it_is_installed(tmp_path: Path) -> None:
    if importlib.util.find_spec("umap") is None:
        assert plane_methods() == ("pca",)
        with pytest.raises(ParameterError, match="needs umap-learn, which is not installed"):
            plot_latent(VECTORS, tmp_path / "latent.pdf", method="umap")
    else:
        assert plot_latent(VECTORS, tmp_path / "latent.pdf", method="umap").is_file()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="needs 3 of them or more, got 2"):
        plot_latent(VECTORS[:2], tmp_path / "latent.pdf")
    with pytest.raises(ParameterError, match="method must be one of pca, umap"):
        plot_latent(VECTORS, tmp_path / "latent.pdf", method="tsne")
