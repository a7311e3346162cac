"""A project's configuration: one commented JSON file, checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError

from genokeras.errors import ConfigError
from genokeras.projects.config.checks import contradictions, is_enas, normalised
from genokeras.projects.config.fields import FolderName, Whole
from genokeras.projects.config.models import (
    EnasTrainer,
    EvaluateData,
    Explainer,
    HyperParamSpec,
    InputFn,
    Model,
    NetworkParams,
    Optimizer,
    PredictData,
    PredictSteps,
    Section,
    StartParamSpec,
    Steps,
    TrainData,
    Trainer,
    Transfer,
)
from genokeras.projects.config.problems import ConfigProblem, complain, schema_problems
from genokeras.projects.config.text import ConfigText, parse_text
from genokeras.support.json_files import read_limited
from genokeras.support.wording import did_you_mean

Task = Literal["classification", "regression", "encoding"]

_DICT = "configuration"
_MOST_BYTES = 10_000_000
_DEFAULT_LISTS: Mapping[str, tuple[Any, ...]] = {
    "n_latent": (128, 64, 32),
    "n_blocks": (2, 3),
    "keep_prob": (0.8, 1.0),
    "output_nonlinear": (None, "relu", "tanh", "sigmoid"),
}


class BaseConfig(Section):
    """What the configurations of all model types share. Frozen; `read_config` makes them."""

    name: FolderName
    model: Model
    data_train: TrainData
    data_evaluate: EvaluateData | None = None
    data_predict: PredictData | None = None
    input_fn: InputFn = InputFn()
    optimizer: Optimizer = Optimizer()
    evaluator: Steps = Steps()
    predictor: PredictSteps = PredictSteps()
    explainer: Explainer = Explainer()
    transfer: Transfer | None = None
    seed: Annotated[Whole, Field(ge=0)] = 0

    _source: str = PrivateAttr(_DICT)
    _folder: Path | None = PrivateAttr(None)

    @property
    def source(self) -> str:
        """The file's path as it was given, or ``"configuration"`` for a dict."""
        return self._source

    @property
    def task(self) -> Task:
        """What is learnt: classes, a number, or (a VAE without ``transfer``) the features themselves."""
        return "classification"

    @property
    def subfolder(self) -> str:
        """The folder under ``save_dir`` that results go to; empty for ``save_dir`` itself."""
        return ""

    @property
    def searched(self) -> bool:
        """Whether anything is searched before the final training."""
        return True

    def find(self, *parts: str) -> Path:
        """Return where a file or folder that the configuration names is.

        A relative path is relative to the current working directory or, if nothing is there, to the folder
        of the configuration file; where neither holds it, the path in the current working directory comes
        back. What is written (``save_dir``) goes by the current working directory alone.
        """
        path = Path(*parts).expanduser()
        if self._folder is not None and not path.is_absolute() and not path.exists():
            beside = self._folder / path
            return beside if beside.exists() else path
        return path

    def places(self, *parts: str) -> tuple[Path, ...]:
        """Return where `find` looks, absolute."""
        path = Path(*parts).expanduser()
        return tuple({place: None for place in (path.absolute(), (self._folder or Path()).absolute() / path)})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, defaults included, from which `read_config` makes the same configuration."""
        return self.model_dump(mode="json", by_alias=True)

    def _from(self, source: str, folder: Path | None) -> Self:
        self._source, self._folder = source, folder
        return self


class ProjectConfig(BaseConfig):
    """The configuration of a ResNet, DenseNet or VAE project."""

    trainer: Trainer = Trainer()
    param_spec: StartParamSpec = StartParamSpec()
    hyper_param_spec: HyperParamSpec | None = None

    @property
    def task(self) -> Task:
        """What is learnt: classes, a number, or (a VAE without ``transfer``) the features themselves."""
        if self.model.type == "VAE" and self.transfer is None:
            return "encoding"
        return "regression" if self.trainer.loss == "mse" else "classification"

    @property
    def searched(self) -> bool:
        """Whether parameters are searched before the final training."""
        return bool(self.trainer.hyper_selector)

    @property
    def start_values(self) -> dict[str, Any]:
        """The start value of every parameter, the learning rate last; beside ``transfer`` there is no other."""
        rate = self.param_spec.args.optimizer_param.model_dump()
        if self.transfer is not None:
            return rate
        network = getattr(self.param_spec.args, self.model.type) or NetworkParams()
        return {**network.model_dump(), **rate}

    @property
    def search_space(self) -> dict[str, tuple[Any, ...]]:
        """The values to try by parameter, in the file's order; without ``hyper_param_spec`` the usual ones.

        Beside ``transfer`` the learning rate is the only parameter, and there are no usual ones.
        """
        searchable = (
            ("optimizer_param",) if self.transfer is not None else (self.model.type, "optimizer_param")
        )
        if self.hyper_param_spec is None:
            return {} if self.transfer is not None else dict(_DEFAULT_LISTS)
        args = self.hyper_param_spec.args
        sections = [getattr(args, key) for key in args.order if key in searchable]
        return {name: getattr(section, name) for section in sections for name in section.order}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data, defaults included, from which `read_config` makes the same configuration."""
        data = super().to_dict()
        # None would read as a model that is there and has no start values
        starts = {key: value for key, value in data["param_spec"]["args"].items() if value is not None}
        network = {
            name: value for name, value in self.start_values.items() if name in NetworkParams.model_fields
        }
        data["param_spec"]["args"] = {**starts, self.model.type: network} if network else starts
        if self.hyper_param_spec is not None:
            args = self.hyper_param_spec.args
            lists = data["hyper_param_spec"]["args"]
            data["hyper_param_spec"]["args"] = {
                key: {name: lists[key][name] for name in getattr(args, key).order} for key in args.order
            }
        return data


class EnasConfig(BaseConfig):
    """The configuration of an ENAS project."""

    trainer: EnasTrainer = EnasTrainer()

    @property
    def task(self) -> Task:
        """What is learnt: classes, or numbers."""
        return "regression" if self.trainer.loss == "mse" else "classification"

    @property
    def subfolder(self) -> str:
        """The folder under ``save_dir`` that results go to."""
        return "enas"


_KINDS: Mapping[str, type[BaseConfig]] = {"ResNet, DenseNet and VAE": ProjectConfig, "enas": EnasConfig}


def read_config(source: str | os.PathLike[str] | Mapping[str, Any]) -> ProjectConfig | EnasConfig:
    """Read and check a project's configuration.

    Parameters
    ----------
    source : path or mapping
        A file of JSON with ``//`` and ``/* */`` comments and trailing commas, in UTF-8; or what such a file
        holds, as a dict.

    Returns
    -------
    ProjectConfig or EnasConfig
        The latter for ``model.type`` "enas".

    Raises
    ------
    ConfigError
        Where the file is missing, its syntax wrong, or its content: the message lists all unknown and missing
        keys, wrong values and contradictions, each with its key and line.

    Examples
    --------
    >>> data = {"features_file": "x.tsv", "labels_file": "y.tsv"}
    >>> config = read_config({"name": "demo", "model": {"type": "resnet", "args": {"output_classes": 2}},
    ...                       "data_train": {"args": data}})
    >>> config.model.type, config.trainer.patience
    ('ResNet', 30)
    """
    if isinstance(source, Mapping):
        return _checked(ConfigText(source, {}), _DICT, with_lines=False)._from(_DICT, None)
    if isinstance(source, str) and source.lstrip().startswith("{"):
        raise ConfigError("expected the path of a project's JSON file, or a dict; got JSON as text.")
    path = Path(source).expanduser()
    text = parse_text(_read(path), path.name)
    return _checked(text, path.name, with_lines=True)._from(str(source), path.absolute().parent)


def _checked(text: ConfigText, source: str, *, with_lines: bool) -> ProjectConfig | EnasConfig:
    raw = normalised(text.value)
    kind = EnasConfig if is_enas(raw) else ProjectConfig
    problems = [
        ConfigProblem(again.path, f"occurs twice in one object, first in line {again.first_line}: keep one.")
        for again in text.repeated
    ]
    found = contradictions(raw)
    try:
        config = kind.model_validate(raw)
    except ValidationError as error:
        problems += schema_problems(error, kind, _KINDS)
    said = {problem.path for problem in problems}
    problems += [problem for problem in found if problem.path not in said]
    if problems:
        raise complain(problems, source, text.lines if with_lines else None)
    return config


def _read(path: Path) -> str:
    try:
        return read_limited(path, _MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist: expected a project's JSON file.{_nearby(path)}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path.name} is not text in UTF-8 (byte {error.start}): save it in UTF-8, or check that it is a "
            "project's JSON file."
        ) from error
    except ValueError as error:
        raise ConfigError(f"{path.name}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f" Nor does its folder {path.parent}."
    return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir() if entry.is_file()])
