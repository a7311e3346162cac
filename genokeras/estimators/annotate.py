"""``clf.annotate(adata)``: what a classifier says of cells, written into their AnnData as scanpy's tools do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data import Dataset
from genokeras.data.readers.anndata import is_anndata
from genokeras.engine.embedding import penultimate
from genokeras.errors import ParameterError, RunFolderError
from genokeras.estimators.elsewhere import MOST_LOSS, ClassifierElsewhere
from genokeras.estimators.genes import TableEstimator
from genokeras.explain import explain_run, marker_table
from genokeras.support.checks import check_number, check_whole
from genokeras.support.extras import EXTRAS, needs

# Cells of a backed AnnData that are in memory at a time.
_CELLS_AT_ONCE = 4096
# Cells that markers are found on, and values of an explanation of them, at most.
_EXPLAINED, _MOST_VALUES = 60, 30_000_000
_MARKER_COLUMNS = ["class", "rank", "gene", "mean_abs", "direction"]


@dataclass(frozen=True, eq=False)
class _Found:
    """What is said of some cells."""

    probabilities: np.ndarray
    novelty: pd.DataFrame | None
    embedding: np.ndarray | None


class Annotator(ClassifierElsewhere, TableEstimator):
    """A classifier of cells."""

    def annotate(
        self,
        adata: Any,
        *,
        key_added: str = "genokeras",
        copy: bool = False,
        n_markers: int = 20,
        novelty: bool = True,
        false_alarms: float = 0.05,
        embedding: bool = True,
        missing_genes: str = "error",
        most_loss: float = MOST_LOSS,
        adapt: str | None = None,
    ) -> Any:
        """Write labels, probabilities and more of each cell into an AnnData.

        Genes are matched by name (``var_names``, or those of ``raw`` where the model was fitted on that), in any order; the layer is that of ``fit``.
        Nothing is written unless all of it was found.

        Parameters
        ----------
        adata : AnnData
            Of shape (n_cells, n_genes). Of a backed one 4,096 cells at a time are in memory, or with ``missing_genes`` or ``adapt``
            the genes of the model of all cells; what is written goes to memory, and to the file by ``adata.write()``.
        key_added : str, default="genokeras"
        copy : bool, default=False
            Annotate and return a copy, in place of ``adata`` itself.
        n_markers : int, default=20
            Genes of each class in the table of markers; 0 finds none, which takes less time.
        novelty : bool, default=True
            Whether to say which cells are unlike those of the training, as ``novelty`` does.
        false_alarms : float, default=0.05
            The share of cells like those of the training that may be called novel.
        embedding : bool, default=True
            Whether to keep where the cells lie before the output layer.
        missing_genes, most_loss, adapt : as in ``prepare_samples``

        Returns
        -------
        AnnData or None
            The copy; None where ``adata`` itself was annotated. What an earlier call wrote by the same name is gone. With
            ``key_added="genokeras"`` there are

            ``obs["genokeras"]``
                Categorical: the label, as ``predict`` gives it; the categories are ``classes_``.
            ``obs["genokeras_confidence"]``
                float32: the probability of that label.
            ``obs["genokeras_novelty"]``, ``obs["genokeras_novel"]``
                The distance from the training cells, of which 1 is the median, and whether that is called novel. Left out, with a warning, where
                the run cannot tell.
            ``obsm["genokeras_probabilities"]``
                DataFrame, a column a class, in the order of ``classes_``; a slash in a name, which h5ad cannot hold, is an underscore.
            ``obsm["X_genokeras"]``
                ``(n_cells, units)`` float32: what the output layer of the weightiest network reads, its last hidden layer, or where it is linear
                its row-space coordinates; for ``sc.pp.neighbors(adata, use_rep="X_genokeras")``.
            ``uns["genokeras"]["markers"]``
                DataFrame: ``class``, ``rank``, ``gene``, ``mean_abs`` (how far the gene moves the class' probability, on up to 60 of the cells, of
                each label alike) and ``direction`` ("up": more of the gene speaks for the class).
            ``uns["genokeras"]["params"]``
                The run folder, the classes, the layer, and the estimate of the run.

        Raises
        ------
        NotFittedError, DataError
        ParameterError
            If ``adata`` is no AnnData, cannot be written to, or has something by these names that ``annotate`` did not write; the model reads several blocks or answers several labels, or a parameter is unknown or out of
            range.

        Examples
        --------
        >>> import genokeras as gk
        >>> clf = gk.GenomeClassifier(path="runs/atlas").fit("atlas.h5ad", "cell_type")  # doctest: +SKIP
        >>> clf.annotate(adata)  # doctest: +SKIP
        >>> sc.pl.umap(adata, color=["genokeras", "genokeras_confidence"])  # doctest: +SKIP
        """
        self._fitted()
        check_writable(adata, copy)
        check_whole(n_markers, "n_markers", 0)
        check_number(false_alarms, "false_alarms", above=0, below=1)
        if not isinstance(key_added, str) or not key_added or "/" in key_added:
            raise ParameterError(f"key_added must be a name without a slash, got {key_added!r}.")
        _check_unused(adata, key_added)
        self._check_cells()
        standardised = "adapt" in self._fitted().folder.settings
        bringing: dict[str, Any] = {
            "missing_genes": missing_genes,
            "most_loss": most_loss,
            "adapt": "standardise" if standardised else adapt,
        }
        whole = missing_genes != "error" or bringing["adapt"] is not None
        parts = [
            self._of_cells(self.prepare_samples(part, **bringing), novelty, false_alarms, embedding)
            for part in _parts(adata, whole)
        ]
        found = _joined(parts)
        codes = self._decided(found.probabilities)
        markers = None if not n_markers else self._markers(adata, codes, bringing, n_markers)
        target = adata.copy() if copy else adata
        self._write(target, key_added, found, codes, markers)
        return target if copy else None

    def _check_cells(self) -> None:
        if self.blocks_:
            names = ", ".join(block.name for block in self.blocks_)
            raise ParameterError(
                f"this model reads the blocks {names}, and an AnnData holds one matrix: predict_proba takes a MuData or a dict."
            )
        if self._of_labels:
            raise ParameterError(
                "annotate gives each cell one label, and this model answers any number of them: use predict."
            )

    def _of_cells(self, cells: Dataset, novelty: bool, false_alarms: float, embedding: bool) -> _Found:
        run = self._fitted()
        probabilities = self.predict_proba(cells)
        distances = None
        if novelty:
            try:
                distances = self.novelty(cells, false_alarms)
            except (RunFolderError, ParameterError) as error:
                warnings.warn(f"novelty is left out: {error}", stacklevel=3)
        hidden = penultimate(run, self._encoder().filled(cells.x)) if embedding else None
        return _Found(probabilities, distances, hidden)

    def _markers(self, adata: Any, codes: np.ndarray, bringing: dict[str, Any], count: int) -> pd.DataFrame:
        size = len(self.feature_names_in_) * len(self.classes_)
        chosen = of_each(codes, max(len(np.unique(codes)), min(_EXPLAINED, _MOST_VALUES // size)))
        if bringing["adapt"] is None and bringing["missing_genes"] == "error":
            cells = self.prepare_samples(adata[chosen], **bringing)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it was said before
                cells = self.prepare_samples(adata, **bringing).select(chosen)
        tables = marker_table(explain_run(self._fitted(), cells, num_samples=None), top=count)
        named = [table.assign(**{"class": name}) for name, table in tables.items()]
        joined = pd.concat(named, ignore_index=True)[_MARKER_COLUMNS]
        for column in ("class", "gene", "direction"):
            joined[column] = joined[column].astype(str)
        return joined

    def _write(
        self, adata: Any, key: str, found: _Found, codes: np.ndarray, markers: pd.DataFrame | None
    ) -> None:
        run, index = self._fitted(), adata.obs_names
        _forget(adata, key)
        categories = pd.Index(self.classes_.tolist())
        adata.obs[key] = pd.Categorical.from_codes(codes.tolist(), categories=categories)
        adata.obs[f"{key}_confidence"] = found.probabilities[np.arange(len(codes)), codes]
        if found.novelty is not None:
            adata.obs[f"{key}_novelty"] = found.novelty["distance"].to_numpy(dtype="float32")
            adata.obs[f"{key}_novel"] = found.novelty["novel"].to_numpy()
        adata.obsm[f"{key}_probabilities"] = pd.DataFrame(
            found.probabilities, index=index, columns=_column_names(self.classes_)
        )
        if found.embedding is not None:
            adata.obsm[f"X_{key}"] = found.embedding
        params = {
            "run": str(self.path_),
            "classes": [str(name) for name in self.classes_],
            "layer": run.folder.settings["settings"].get("layer") or "X",
            "metric": str(self.estimate_["metric"]),
            "estimate": float(self.estimate_["value"]),
        }
        adata.uns[key] = {"params": params} | ({} if markers is None else {"markers": markers})


def check_writable(adata: Any, copy: bool) -> None:
    """Raise ``ParameterError`` where something is no AnnData, or one that cannot be annotated."""
    if not is_anndata(adata):
        missing = f" ({needs('it', 'anndata', 'single-cell')})" if EXTRAS["single-cell"].missing else ""
        raise ParameterError(
            f"annotate writes into an AnnData, got {type(adata).__name__}: read a file with anndata.read_h5ad(path){missing}. "
            "predict_proba takes anything that fit takes."
        )
    if adata.isbacked and copy:
        raise ParameterError(
            "a backed AnnData is copied into a file: pass adata.to_memory() or adata.copy(filename) in place of copy=True."
        )
    if adata.isbacked and adata.is_view:
        raise ParameterError(
            "a part of a backed AnnData cannot be written to: pass it .to_memory(), or annotate the whole."
        )


def _is_own(adata: Any, key: str) -> bool:
    """Whether an earlier call wrote by this name."""
    known = adata.uns.get(key)
    return isinstance(known, Mapping) and "params" in known


def _check_unused(adata: Any, key: str) -> None:
    """Raise ``ParameterError`` where something stands by this name that no earlier call wrote."""
    if _is_own(adata, key):
        return
    columns = [key, *(f"{key}_{what}" for what in ("confidence", "novelty", "novel"))]
    taken = [f"obs[{name!r}]" for name in columns if name in adata.obs]
    taken += [f"obsm[{name!r}]" for name in (f"{key}_probabilities", f"X_{key}") if name in adata.obsm]
    taken += [f"uns[{key!r}]"] if key in adata.uns else []
    if taken:
        raise ParameterError(
            f"the cells have {', '.join(taken)} already, which annotate did not write and does not overwrite: pass another "
            f"key_added than {key!r}, or delete it first."
        )


def _forget(adata: Any, key: str) -> None:
    """Remove what an earlier call wrote by this name: some of it may not be written again, and would speak of other labels."""
    if not _is_own(adata, key):
        return
    for column in (f"{key}_novelty", f"{key}_novel"):
        if column in adata.obs:
            del adata.obs[column]
    if f"X_{key}" in adata.obsm:
        del adata.obsm[f"X_{key}"]


def of_each(codes: np.ndarray, count: int) -> np.ndarray:
    """``(m,)`` numbers of about ``count`` samples, rising: as many of each class as it has, up to an even share, spread evenly."""
    known = np.unique(codes)
    share = max(1, count // len(known))
    rows = [np.flatnonzero(codes == code) for code in known]
    return np.sort(
        np.concatenate([r[np.unique(np.linspace(0, len(r) - 1, share).astype(int))] for r in rows])
    )


def _parts(adata: Any, whole: bool) -> Iterator[Any]:
    if not adata.isbacked or whole:
        yield adata
        return
    for start in range(0, max(1, adata.n_obs), _CELLS_AT_ONCE):
        yield adata[start : start + _CELLS_AT_ONCE]


def _joined(parts: list[_Found]) -> _Found:
    first = parts[0]
    if len(parts) == 1:
        return first
    distances = [part.novelty for part in parts if part.novelty is not None]
    hidden = [part.embedding for part in parts if part.embedding is not None]
    return _Found(
        np.concatenate([part.probabilities for part in parts]),
        pd.concat(distances) if distances else None,
        np.concatenate(hidden) if hidden else None,
    )


def _column_names(classes: np.ndarray) -> list[str]:
    names = [str(name).replace("/", "_") for name in classes.tolist()]
    return names if len(set(names)) == len(names) else [f"class_{i}" for i in range(len(names))]
