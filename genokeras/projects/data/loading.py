"""The data a configuration names: features, labels and names, checked against each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genokeras.data import Dataset, align_features
from genokeras.data.checks import check_names, check_shape, check_size
from genokeras.data.label_files import split_reference
from genokeras.data.readers.opening import check_file
from genokeras.data.table import Table
from genokeras.data.target_order import target_order
from genokeras.errors import DataError, DataFileError
from genokeras.projects.config import (
    BaseConfig,
    EnasConfig,
    EvaluateArgs,
    PredictArgs,
    ProjectConfig,
)
from genokeras.projects.data.label_files import (
    class_codes,
    finite_numbers,
    free_classes,
    read_column,
    read_feature_names,
    read_labels,
    read_numbers,
)
from genokeras.projects.data.matrices import read_matrix
from genokeras.support.digest import hex_digest
from genokeras.support.wording import counted


@dataclass(frozen=True, eq=False)
class ProjectData:
    """Samples of a project, checked.

    Attributes
    ----------
    x : ndarray of float32, shape (n_samples, n_features)
        Finite.
    y : ndarray, optional
        ``(n_samples,)`` class codes (int64), or ``(n_samples, n_targets)`` numbers to predict (float32) where the loss is "mse".
    classes : tuple of str
        The classes behind the codes; empty without classes.
    targets : tuple of str
        Names of the numbers to predict; empty without numbers.
    feature_names : tuple of str
        From the header, or ``"feature_0"``, ``"feature_1"``...
    sample_ids : tuple of str
        From the index column, or ``"sample_0"``, ``"sample_1"``...
    notes : tuple of str
        What was detected, in plain sentences.
    source : str
        The features' file.
    names_given, ids_given : bool
        False where `feature_names` or `sample_ids` were made up.
    """

    x: np.ndarray
    y: np.ndarray | None
    classes: tuple[str, ...]
    feature_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    notes: tuple[str, ...] = ()
    source: str = ""
    names_given: bool = False
    ids_given: bool = False
    targets: tuple[str, ...] = ()

    @property
    def n_samples(self) -> int:
        """Number of rows of `x`."""
        return int(self.x.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of `x`."""
        return int(self.x.shape[1])

    @property
    def features_digest(self) -> str:
        """SHA-256 of the features: the same for the same numbers, whatever file they are from."""
        return hex_digest(str(self.x.shape), self.x, length=64)


def load_training(config: ProjectConfig | EnasConfig) -> ProjectData:
    """Read the features and labels that ``data_train`` names; a VAE that learns without labels reads none.

    Raises
    ------
    DataFileError
        Where a file is missing or cannot be read.
    DataError
        Where features, labels and ``output_classes`` do not fit each other, or values are missing.
    """
    return _load(config, config.data_train.args, None)


def load_evaluation(
    config: ProjectConfig | EnasConfig,
    classes: Sequence[str] = (),
    feature_names: Sequence[str] | None = None,
    targets: Sequence[str] = (),
) -> ProjectData:
    """Read the features and labels that ``data_evaluate`` names.

    Where a VAE learns without labels, those of the file are classes of their own, which colour its pictures.

    Parameters
    ----------
    config : ProjectConfig or EnasConfig
    classes : sequence of str
        Those of the training data; labels are encoded by them, and may be fewer.
    feature_names : sequence of str, optional
        Those of the training data; features with names are brought into their order, others counted.
    targets : sequence of str
        Names of the numbers in training; columns of numbers with names are brought into their order, others counted.

    Raises
    ------
    DataError
        Where the configuration has no ``data_evaluate``, or columns of numbers go by other names than in training, and as in
        `load_training`.
    """
    if config.data_evaluate is None:
        raise DataError(f"{config.source} has no data_evaluate: expected the files to evaluate on there.")
    args = config.data_evaluate.args
    data = _targets_in_order(_load(config, args, tuple(classes)), targets, args.labels_file or "")
    return aligned(data, feature_names)


def load_prediction(
    config: ProjectConfig | EnasConfig, feature_names: Sequence[str] | None = None
) -> ProjectData:
    """Read the features that ``data_predict`` names; `feature_names` as in `load_evaluation`.

    Raises
    ------
    DataError
        Where the configuration has no ``data_predict``, and as in `load_training`.
    """
    if config.data_predict is None:
        raise DataError(f"{config.source} has no data_predict: expected the file to predict there.")
    return aligned(_load(config, config.data_predict.args, None), feature_names)


def load_names(
    config: ProjectConfig | EnasConfig, data: ProjectData, as_given: ProjectData | None = None
) -> tuple[str, ...]:
    """Return the names to explain features by: those of ``features_name_file``, or the data's own.

    Parameters
    ----------
    config : ProjectConfig or EnasConfig
    data : ProjectData
        What is explained.
    as_given : ProjectData, optional
        What ``data_train`` holds, with its columns as in the file; ``features_name_file`` then names these. Without it,
        and where the features of `data` are others, it names those of `data`.

    Raises
    ------
    DataFileError
        Where the file is missing.
    DataError
        Where it holds more or fewer names than there are features.
    """
    named = config.explainer.args.features_name_file
    if named is None:
        return data.feature_names
    path = _existing(config, "explainer.args.features_name_file", named)
    if as_given is None or not set(as_given.feature_names).issuperset(data.feature_names):
        return read_feature_names(path, data.n_features, data.source)
    names = read_feature_names(path, as_given.n_features, as_given.source)
    by_feature = dict(zip(as_given.feature_names, names, strict=True))
    return tuple(by_feature[name] for name in data.feature_names)


def evaluates_training_file(config: ProjectConfig | EnasConfig) -> bool:
    """Return whether ``data_evaluate`` names the features file that was trained on."""
    if config.data_evaluate is None:
        return False
    train, evaluate = (_place(config, args) for args in (config.data_train.args, config.data_evaluate.args))
    return train.resolve() == evaluate.resolve()


def _load(
    config: ProjectConfig | EnasConfig, args: PredictArgs, classes: tuple[str, ...] | None
) -> ProjectData:
    section = _section_of(config, args)
    path = _existing(config, f"{section}.args.features_file", args.data_dir, args.features_file)
    labels_file = args.labels_file if isinstance(args, EvaluateArgs) else None
    labels = None
    if labels_file is not None:
        labels = _labels_place(config, f"{section}.args.labels_file", args.data_dir, labels_file)
    table = read_matrix(path, args.delimiter)
    check_size(table.x, table.source)
    check_shape(table.x, table.names, table.ids, table.source)
    check_names(table.names, table.ids, table.source)
    _check_cells(table)
    data = ProjectData(
        x=np.asarray(table.x),
        y=None,
        classes=(),
        feature_names=table.names,
        sample_ids=table.ids,
        notes=table.notes,
        source=table.source,
        names_given=table.feature_names is not None,
        ids_given=table.sample_ids is not None,
    )
    if labels is None or (config.task == "encoding" and section != "data_evaluate"):
        return data
    return _with_labels(config, data, table, *labels, classes)


def _targets_in_order(data: ProjectData, targets: Sequence[str], source: str) -> ProjectData:
    """The data with the numbers to predict in the order of training, and by its names."""
    if data.y is None or not data.targets or len(data.targets) != len(targets):
        return data
    otherwise = "leave the header out where they stand in the order of training"
    order = target_order(data.targets, targets, source, otherwise=otherwise)
    note = f"The columns of {source} were brought into the order of training: {', '.join(targets)}."
    notes = data.notes if order == sorted(order) else (*data.notes, note)
    return dataclasses.replace(data, y=data.y[:, order], targets=tuple(targets), notes=notes)


def _labels_place(config: BaseConfig, key: str, *parts: str) -> tuple[Path, str | None]:
    """The file of the labels, and the column that ``"clinical.tsv:er_status"`` names."""
    for place in config.places(*parts):
        reference = split_reference(str(place))
        if reference is not None and reference[1] is not None:
            return reference
    return _existing(config, key, *parts), None


def _with_labels(
    config: ProjectConfig | EnasConfig,
    data: ProjectData,
    table: Table,
    path: Path,
    column: str | None,
    classes: tuple[str, ...] | None,
) -> ProjectData:
    """The data with what a file, or a column of it, says of their samples.

    Parameters
    ----------
    config : ProjectConfig or EnasConfig
    data : ProjectData
    table : Table
        The features, whose ids a column is joined by.
    path : Path
    column : str or None
    classes : tuple of str or None
        Those of the training data.
    """
    ids = data.sample_ids if data.ids_given else None
    n_outputs = config.model.args.output_classes
    name = path.name if column is None else f"{path.name}:{column}"
    if column is None and config.task == "regression":
        values, targets, notes = read_numbers(path, data.n_samples, n_outputs or 1, data.source, ids)
        return dataclasses.replace(data, y=values, targets=targets, notes=(*data.notes, *notes))
    if column is None:
        labels, notes = read_labels(path, data.n_samples, data.source, ids)
    else:
        labels, notes = read_column(path, column, table)
    data = dataclasses.replace(data, notes=(*data.notes, *notes))
    if config.task == "encoding":
        codes, names = free_classes(labels)
        return dataclasses.replace(data, y=codes, classes=names)
    if config.task != "regression":
        codes, names = class_codes(labels, n_outputs or len(set(labels)), name, classes or None)
        return dataclasses.replace(data, y=codes, classes=names)
    if n_outputs is not None and n_outputs > 1:
        raise DataError(
            f"{name} is one column of numbers, model.args.output_classes is {n_outputs}: give a file with the sample ids and a column "
            "for each number to predict, or set it to 1."
        )
    return dataclasses.replace(data, y=finite_numbers(labels, name)[:, None], targets=("value",))


def _section_of(config: BaseConfig, args: PredictArgs) -> str:
    if args is config.data_train.args:
        return "data_train"
    return (
        "data_predict"
        if config.data_predict is not None and args is config.data_predict.args
        else "data_evaluate"
    )


def _place(config: BaseConfig, args: PredictArgs) -> Path:
    return config.find(args.data_dir, args.features_file)


def _existing(config: BaseConfig, key: str, *parts: str) -> Path:
    """Return a file that is there, or say which key names one that is not, and where it was looked for."""
    path = config.find(*parts)
    try:
        return check_file(path)
    except DataFileError as error:
        places = config.places(*parts)
        looked = "" if path.exists() or len(places) < 2 else f" Looked for {' and '.join(map(str, places))}."
        raise DataFileError(f"{key}: {error}{looked}") from error


def _check_cells(table: Table) -> None:
    """Raise where a value is missing or infinite, naming the first."""
    x = np.asarray(table.x)
    if np.isfinite(x).all():
        return
    for mask, what, remedy in (
        (np.isnan(x), "empty or not a number (NaN)", "Fill them or drop their rows or columns."),
        (np.isinf(x), "infinite or too large", "Was a logarithm of zero taken?"),
    ):
        if mask.any():
            places = np.argwhere(mask)[:4].tolist()
            cells = "; ".join(_cell(table, row, column) for row, column in places)
            more = f"; and {int(mask.sum()) - len(places)} more" if mask.sum() > len(places) else ""
            count = counted(int(mask.sum()), "value is", "values are")
            raise DataError(f"{table.source}: {count} {what}: {cells}{more}. {remedy}")


def _cell(table: Table, row: int, column: int) -> str:
    sample = f" ({table.sample_ids[row]!r})" if table.sample_ids is not None else ""
    feature = f" ({table.feature_names[column]!r})" if table.feature_names is not None else ""
    return f"row {row + 1}{sample}, column {column + 1}{feature}"


def aligned(data: ProjectData, feature_names: Sequence[str] | None) -> ProjectData:
    """Return the data with exactly these features, in this order; None leaves them as they are.

    Features without names are counted, and take these.

    Raises
    ------
    DataError
        Where features are missing, or their number is wrong.
    """
    if feature_names is None:
        return data
    rows = Dataset(
        data.x,
        data.feature_names,
        data.sample_ids,
        source=data.source,
        names_given=data.names_given,
        notes=data.notes,
    )
    found = align_features(rows, feature_names)
    return dataclasses.replace(
        data, x=np.asarray(found.x), feature_names=found.feature_names, notes=found.notes, names_given=True
    )
