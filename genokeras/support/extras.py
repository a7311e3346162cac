"""What only some people need, and how to install it: the extras of pyproject.toml, and one wording for a package that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Extra:
    """One extra: what it is for, and the modules that it brings."""

    purpose: str
    modules: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that cannot be found here; none of them is imported for that."""
        return tuple(module for module in self.modules if find_spec(module) is None)


EXTRAS = {
    "single-cell": Extra("h5ad and h5mu files", ("anndata",)),
    "parquet": Extra("parquet tables, and polars or arrow tables in memory", ("pyarrow",)),
    "fast": Extra("large csv and tsv files, parsed faster", ("polars", "pyarrow")),
    "excel": Extra("xlsx files", ("openpyxl",)),
    "umap": Extra("UMAP of latent vectors", ("umap",)),
    "export": Extra("models in the ONNX format", ("onnx", "onnxruntime", "tf2onnx")),
    "pretrained": Extra("models that others have trained", ("keras_hub",)),
    "detection": Extra("mean average precision of detections", ("pycocotools",)),
    "ray": Extra("trials on a Ray cluster", ("ray",)),
    "tensorboard": Extra("charts of a search in TensorBoard", ("tensorboard",)),
    "mlflow": Extra("searches as runs of MLflow", ("mlflow",)),
    "jax": Extra("the backend JAX", ("jax",)),
    "torch": Extra("the backend PyTorch", ("torch",)),
}


def install_command(extra: str) -> str:
    """How an extra is installed, in quotes that every shell understands."""
    return f'pip install "genokeras[{extra}]"'


def needs(doing: str, package: str, extra: str) -> str:
    """Return ``'reading h5ad needs anndata: pip install "genokeras[single-cell]"'``, without a full stop."""
    return f"{doing} needs {package}, which is not installed: {install_command(extra)}"
