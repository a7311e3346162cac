"""What samples of genes are in a fit: how tables are read, which views are fitted, and what a search on them starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, final

import numpy as np
from scipy import sparse

from genokeras.data import Dataset, align_features, load_dataset, usual_folds
from genokeras.encoders import SplitView, TableEncoder, fit_split_view, fit_table_encoder
from genokeras.engine import Budget, Method, PackedMethod, Prepared, Problem, Run, Wanted, make_table_searcher
from genokeras.engine.novelty import NOVELTY_FILE, novelty_maker
from genokeras.engine.problem import fingerprint_of, group_numbers
from genokeras.engine.splits import FurtherSplits
from genokeras.errors import DataError
from genokeras.estimators.blocks import fusing_fathers, training_matrix, views_of
from genokeras.estimators.content import ContentKind, Given, Training
from genokeras.estimators.effort import Effort, affordable, room_for_views
from genokeras.features import DEFAULT_VIEWS, TRAVELLING_VIEWS, is_paired, varies
from genokeras.graph.arcs import Arc
from genokeras.searchers import HyperSpace, Searcher
from genokeras.support.digest import hex_digest

# With more samples than one hold-out is made for, fewer views: each takes a pass over the data.
LARGE_VIEWS = ("all", "top300")
# Of `searcher_args`.
_NAMING_VIEWS = ("space", "fathers", "search_type")


@final
class Genes(ContentKind):
    """Samples in rows, genes in columns."""

    name: ClassVar[str] = TableEncoder.kind
    takes_batches: ClassVar[bool] = True

    def read(self, given: Given) -> Dataset:
        return self._load(given, several_targets=False)

    def read_several(self, given: Given) -> Dataset:
        return self._load(given, several_targets=True)

    def _load(self, given: Given, *, several_targets: bool) -> Dataset:
        missing: Any = given.missing
        return load_dataset(
            given.x,
            given.y,
            groups=given.groups,
            missing=missing,
            drop_columns=given.drop_columns,
            # New samples may well lack what the model does not read.
            drop_unknown=not given.training,
            genes=given.genes,
            several_targets=several_targets,
            blocks=given.blocks,
            missing_blocks=given.missing_blocks,
            layer=given.layer,
        )

    def method(self) -> Method:
        return PackedMethod()

    def prepare(self, training: Training, arguments: Mapping[str, Any]) -> Prepared:
        dataset = training.content
        assert isinstance(dataset, Dataset)
        x, stand_ins, present = training_matrix(
            dataset,
            training.held,  # type: ignore[arg-type]
            _with_validation(dataset, training.held),
            arguments.get("missing_blocks", "drop"),
        )
        if not varies(x[: dataset.n_samples]):
            raise DataError(
                f"{dataset.source}: every gene has the same value in all {dataset.n_samples} samples, so there is nothing to learn "
                "from. Is this the matrix that was meant?"
            )
        aim, folds, targets = training.aim, training.folds(), training.targets
        weight, groups = training.weight, group_numbers(training.groups)
        samples = _samples_digest(x, dataset.feature_names)
        fingerprint = fingerprint_of(samples, targets, weight, groups)
        views = views_of(
            replace(dataset, x=x),
            views_to_fit(len(targets), arguments.get("searcher_args", {}), training.by_study),
            len(targets),
        )

        def make(budget: Budget) -> Problem:
            full = Effort(len(targets), folds.n_folds)
            effort = full if dataset.blocks else affordable(x, folds, budget, arguments.get("memory"))
            used = folds
            if effort != full:
                used = effort.folds_of(folds, aim.task.strata(targets), training.seed)
            encoder, rows = fit_table_encoder(
                x,
                targets,
                used.train,
                views,
                aim.task.screening,
                dataset.feature_names,
                stand_ins,
                None if may_name_views(arguments) else room_for_views(budget, arguments.get("memory")),
                dataset.blocks,
                present,
                effort.directions,
                used.held_out,
            )
            further = training.further_folds(folds) if effort == full else np.empty(0)
            return Problem(
                targets,
                used.held_out,
                weight,
                encoder,
                rows,
                aim.task,
                used.train,
                groups,
                None,
                fingerprint,
                FurtherSplits(further) if len(further) else None,
                (*effort.note(full), *_left_out(views, rows)),
            )

        def fit_view(encoder: TableEncoder, train: np.ndarray, name: str) -> SplitView:
            return fit_split_view(x, targets, train, name, aim.task.screening, encoder, present)

        return Prepared(
            make=make,
            fingerprint=fingerprint,
            old_fingerprint=lambda: _samples_digest(x, dataset.feature_names, targets),
            sample_weight=weight,
            groups=groups,
            described={
                "kind": self.name,
                "task": aim.task.kind,
                "source": dataset.source,
                "n_samples": len(targets),
                **aim.task.described(targets, aim.names),
                "feature_names": list(dataset.feature_names),
                "sample_ids": list(dataset.sample_ids),
                "names_given": dataset.names_given,
                **({} if stand_ins is None else {"most_missing": dataset.most_missing}),
                **({"blocks": [block.to_dict() for block in dataset.blocks]} if dataset.blocks else {}),
                "drop_columns": list(arguments.get("drop_columns", ())),
                "notes": [*dataset.notes, *aim.notes, *folds.notes],
            },
            fit_view=fit_view,
            # Few studies say nothing of how far a new sample may lie.
            files={NOVELTY_FILE: novelty_maker(x, None if training.by_study else groups, training.seed)},
        )

    def searcher(self, wanted: Wanted, problem: Problem, arcs: tuple[Arc, ...]) -> Searcher:
        space = HyperSpace(
            views=tuple(problem.widths),
            view_units=tuple(problem.widths.values()),
            linear_decays=problem.task.linear_decays,
            linear_unread=problem.linear_unread,
        )
        encoder, n_outputs = problem.encoder, problem.task.n_outputs
        assert isinstance(encoder, TableEncoder)
        fathers = fusing_fathers(encoder.blocks, problem.widths, n_outputs) if encoder.blocks else None
        return make_table_searcher(wanted, n_outputs, space, arcs, problem.n_splits, fathers)

    def matched(self, content: Any, run: Run) -> Any:
        return align_features(content, run.feature_names)

    def asked_folds(self, n_folds: int | None, n_samples: int) -> int | None:
        folds = usual_folds(n_samples) if n_folds is None else n_folds
        return None if folds is None else int(folds)


def may_name_views(arguments: Mapping[str, Any]) -> bool:
    """Whether the searcher may ask for views by name, so that none may be left out: a custom one, or custom graphs or a custom space."""
    given = arguments.get("searcher_args", {})
    return not isinstance(arguments.get("searcher", ""), str) or not given.keys().isdisjoint(_NAMING_VIEWS)


def _left_out(wanted: Sequence[str], fitted: Mapping[str, Any]) -> tuple[str, ...]:
    """A note of the views that there was no time for, or nothing to see in; pairs of genes seldom stand out."""
    # Of several blocks the name of one stands before that of a view.
    missing = [name for name in wanted if name not in fitted and not is_paired(name.rpartition("/")[2])]
    if not missing:
        return ()
    return (
        f"Of {len(wanted)} views of the genes {len(missing)} were left out, because all samples look alike in them, or preparing "
        f"them would take more than a quarter of the time limit: {', '.join(missing)}. A longer time limit uses the latter, too.",
    )


def views_to_fit(n_samples: int, searcher_args: Mapping[str, Any], by_study: bool = False) -> tuple[str, ...]:
    """Names of views: with very many samples those of the user's search space, or else all features and one screening."""
    if usual_folds(n_samples) is not None:
        return TRAVELLING_VIEWS if by_study else DEFAULT_VIEWS
    space = searcher_args.get("space")
    return space.views if isinstance(space, HyperSpace) else LARGE_VIEWS


def _with_validation(dataset: Dataset, held: Any) -> Any:
    """Training rows, and validation rows behind them."""
    if held is None:
        return dataset.x
    parts: list[Any] = [dataset.x, align_features(held, dataset.feature_names).x]
    return sparse.vstack(parts, format="csr") if any(map(sparse.issparse, parts)) else np.vstack(parts)


def _samples_digest(x: Any, names: Sequence[str], *more: np.ndarray) -> str:
    """A digest of values and names: a resumed run has to see the same data."""
    return hex_digest(x, *more, "\0".join(names))
