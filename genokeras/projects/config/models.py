"""What a project's configuration may hold: its keys, their types, ranges and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from genokeras.projects.config.fields import (
    Count,
    CountList,
    Delimiter,
    GpuCount,
    KeepProb,
    KeepProbList,
    LearningRate,
    LearningRateList,
    LoaderType,
    ModelType,
    Nonlinearity,
    NonlinearityList,
    OptimizerType,
    Rate,
    Selector,
    Text,
    Whole,
)


class Section(BaseModel):
    """An object of the file: frozen, no keys but its own, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class ModelArgs(Section):
    """How many classes the model tells apart, or how many numbers it predicts; none for a VAE that learns without labels."""

    output_classes: Count | None = None


class Model(Section):
    """Which network."""

    type: ModelType
    args: ModelArgs = ModelArgs()


class PredictArgs(Section):
    """A file of features: samples in rows.

    ``delimiter`` None means a comma for csv files and a tab for others; ``" "`` is any run of blanks.
    """

    data_dir: Text = "."
    features_file: Text
    delimiter: Delimiter | None = None


class EvaluateArgs(PredictArgs):
    """A file of features and one of labels, a label a line."""

    labels_file: Text | None = None


class TrainArgs(EvaluateArgs):
    """The training files and how to hold samples out."""

    validation_split: Rate = 0.2
    shuffle: bool = True


class TrainData(Section):
    """What to train on."""

    type: LoaderType = "DataLoader"
    args: TrainArgs


class EvaluateData(Section):
    """What to evaluate on."""

    type: LoaderType = "DataLoader"
    args: EvaluateArgs


class PredictData(Section):
    """What to predict."""

    type: LoaderType = "DataLoader"
    args: PredictArgs


class InputFn(Section):
    """Threads that prepare batches."""

    num_threads: Count = 16


class Trainer(Section):
    """How ResNet, DenseNet and VAE train.

    Where ``monitor`` and ``selected_mode`` are left out, they follow from the loss and the model.
    """

    hyper_selector: Selector = True
    batch_size: Count = 64
    save_dir: Text = "./experiments"
    monitor: Literal["accuracy", "loss", "f1_score"] = "accuracy"
    selected_mode: Literal["max", "min"] = "max"
    num_gpus: GpuCount = 1
    patience: Count = 30
    pre_train_epoch: Count = 10
    max_steps: Count = 64000
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"


class EnasTrainer(Section):
    """How ENAS searches and trains; ``controller`` None lets the size of the space decide."""

    child_num_layers: Count = 3
    batch_size: Count = 64
    max_number_of_epoches_in_search: Count = 10
    max_number_of_epoches_in_fixed: Count = 50
    top_k_candidates: Annotated[Whole, Field(ge=2)] = 2
    child_l2_reg: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-4
    max_search_channel: Annotated[Whole, Field(ge=5)] = 512
    save_dir: Text = "./experiments"
    num_gpus: GpuCount = 1
    loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    controller: Literal["reinforce", "random", "evolution", "enumerate"] | None = None


class Optimizer(Section):
    """Which optimizer."""

    type: OptimizerType = "adam"


class Steps(Section):
    """How many batches of which size, and how often to log and to write."""

    max_number_of_steps: Count = 10
    batch_size: Count = 100
    log_every_n_steps: Count = 10
    output_every_n_steps: Count = 1


class PredictSteps(Steps):
    """The same for predictions."""

    max_number_of_steps: Count = 100


class ExplainerArgs(Section):
    """What to draw of the features' importance."""

    features_name_file: Text | None = None
    plot_type: Literal["bar", "dot", "violin", "layered_violin"] = "bar"
    num_samples: Count = 80
    ranked_outputs: Count = 20


class Explainer(Section):
    """How to explain."""

    args: ExplainerArgs = ExplainerArgs()


class NetworkParams(Section):
    """Start values of a network's parameters."""

    n_latent: Count = 32
    n_blocks: Count = 2
    keep_prob: KeepProb = 0.8
    output_nonlinear: Nonlinearity = "sigmoid"


class OptimizerParams(Section):
    """Start values of the optimizer's parameters."""

    learning_rate: LearningRate = 1e-4


class _InFileOrder(Section):
    """A section that remembers the order in which its keys were written."""

    _order: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, data: Any, handler: ModelWrapValidatorHandler[_InFileOrder]) -> _InFileOrder:
        made = handler(data)
        if isinstance(data, Mapping):
            made._order = tuple(key for key in data if getattr(made, key) is not None)
        return made

    @property
    def order(self) -> tuple[str, ...]:
        """The keys that were given, in the file's order."""
        return self._order


class NetworkLists(_InFileOrder):
    """Values to try for a network's parameters."""

    n_latent: CountList | None = None
    n_blocks: CountList | None = None
    keep_prob: KeepProbList | None = None
    output_nonlinear: NonlinearityList | None = None


class OptimizerLists(_InFileOrder):
    """Values to try for the optimizer's parameters."""

    learning_rate: LearningRateList | None = None


class ParamArgs(Section):
    """Start values by model; only those of the project's own model are used."""

    ResNet: NetworkParams | None = None
    DenseNet: NetworkParams | None = None
    VAE: NetworkParams | None = None
    optimizer_param: OptimizerParams = OptimizerParams()


class StartParamSpec(Section):
    """Where training, or the search, starts."""

    type: Literal["origin_params"] = "origin_params"
    args: ParamArgs = ParamArgs()


class HyperArgs(_InFileOrder):
    """Values to try by model; only those of the project's own model are used."""

    ResNet: NetworkLists | None = None
    DenseNet: NetworkLists | None = None
    VAE: NetworkLists | None = None
    optimizer_param: OptimizerLists | None = None


class HyperParamSpec(Section):
    """What to search."""

    type: Literal["hyper_params"] = "hyper_params"
    args: HyperArgs = HyperArgs()


class Transfer(Section):
    """An encoder to start from: the folder of an earlier run, or the encoder's own file."""

    source: Text = Field(alias="from")
    trainable: bool = False
