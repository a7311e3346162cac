"""The models of a search: as few as possible, each compiled once and used for many settings."""

from __future__ import annotations

import os
from typing import final

from genokeras.keras_models.adjustable_optimizer import AdjustableOptimizer
from genokeras.keras_models.model_builder import (
    DECAY,
    RATE,
    BuiltModel,
    ModelBuilder,
    copy_weights,
    load_checkpoint,
    set_unread,
)
from genokeras.keras_models.noted_spec import BUILD, METRICS, NotedSpec, noted, show, still_holds
from genokeras.keras_models.restartable_model import RestartableModel
from genokeras.streams import Batches
from genokeras.tuning import ParamSpec

_KEPT_MODELS = 8


@final
class ModelPool:
    """Models to train and models to evaluate, by what the user's functions read of a spec.

    Parameters
    ----------
    builder : ModelBuilder
    held_out : Batches
        What models are evaluated on.
    checkpoint : path-like or None
        Weights that every model starts from.

    Attributes
    ----------
    set_by_us : set of str
        Parameters that no function reads, and that are set on the optimizer.
    """

    def __init__(
        self, builder: ModelBuilder, held_out: Batches, checkpoint: str | os.PathLike[str] | None
    ) -> None:
        self._builder, self._held_out, self._checkpoint = builder, held_out, checkpoint
        self._models: list[RestartableModel] = []
        self._judges: list[BuiltModel] = []
        self.set_by_us: set[str] = set()

    def model(self, spec: ParamSpec) -> RestartableModel:
        """A model that the user's functions would make from this spec; where it comes from the pool it is trained already."""
        return self._model(spec)[0]

    def evaluated(self, trained: RestartableModel, spec: ParamSpec) -> dict[str, float]:
        """The held-out loss and metrics of a model's current weights, under a spec that may differ in evaluation alone."""
        judge = self._judge(trained, spec)
        copy_weights(trained.built.model, judge.model)
        return judge.evaluated(self._held_out)

    def changes_training(self, name: str, spec: ParamSpec) -> bool | None:
        """Whether a parameter changes the training; False where only evaluation reads it, None where nothing does."""
        trained, optimizer_view = self._model(spec)
        view = trained.built.view
        if name in {**noted(view, BUILD), **noted(optimizer_view, BUILD)} or name in (RATE, DECAY):
            return True
        judge_view = self._judge(trained, spec).view
        return False if name in {**noted(judge_view, BUILD, METRICS), **noted(view, METRICS)} else None

    def _model(self, spec: ParamSpec) -> tuple[RestartableModel, NotedSpec]:
        """A model, and what the optimizer function read."""
        view = NotedSpec(spec)
        optimizer = self._builder.functions.optimizer(view)
        fitting = [model for model in self._models if still_holds(model.built.view, spec)]
        made = None if fitting else self._builder.build(spec)
        self.set_by_us.update(
            set_unread(optimizer, spec, view, fitting[0].built.view if made is None else made[1])
        )
        adjustable = AdjustableOptimizer(optimizer)
        for model in fitting:
            if model.adjustable.signature == adjustable.signature:
                model.adjustable.adjust_to(adjustable)
                show(model.built.view, spec)
                return model, view
        scale = 1.0
        if RATE in noted(view, BUILD) and adjustable.rate and spec.learning_rate:
            # The optimizer function may make another rate of that of the spec.
            scale = adjustable.rate / float(spec.learning_rate)
        made = self._builder.build(spec) if made is None else made
        for other in [model for model in self._models if model.built.model is made[0].model]:
            # A model function that always returns the same model: it starts again from where it was.
            other.restart()
            self._models.remove(other)
        if self._checkpoint is not None:
            load_checkpoint(made[0].model, self._checkpoint)
        adjustable.make_adjustable()
        built = self._builder.compiled(*made, adjustable.optimizer)
        model = RestartableModel(built, adjustable, scale)
        self._models = [*self._models[-_KEPT_MODELS + 1 :], model]
        return model, view

    def _judge(self, trained: RestartableModel, spec: ParamSpec) -> BuiltModel:
        """What evaluates: the trained model itself, or one made for evaluation, whose weights are not copied yet."""
        if not self._builder.functions.model_knows_mode:
            return trained.built
        fitting = [judge for judge in self._judges if still_holds(judge.view, spec)]
        if fitting:
            show(fitting[0].view, spec)
            return fitting[0]
        judge = self._builder.judge(spec, trained.built)
        self._judges = [*self._judges[-_KEPT_MODELS + 1 :], judge]
        return judge
