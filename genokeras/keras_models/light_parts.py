"""Checks and words of a LightModel's training."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import keras

from genokeras.errors import DataError, ParameterError
from genokeras.keras_models.backend_errors import backend_errors_named
from genokeras.keras_models.epoch_history import EpochHistory
from genokeras.keras_models.epochs import EpochPlan
from genokeras.keras_models.recipe import Recipe
from genokeras.keras_models.wrapped_net import WrappedNet
from genokeras.streams import Batches
from genokeras.support.files import unwritable
from genokeras.training import KeptVariables, Position, TorchNet

_UNCOMPUTED = "the loss of the first batch of train cannot be computed"


def metric_names(made: WrappedNet, rows: Batches, recipe: Recipe) -> list[str]:
    """The loss and the metrics, as their columns are called.

    Raises
    ------
    TrainingError
        If the first batch cannot be computed.
    """
    kept = KeptVariables(made.model.variables)
    x, y, weight = rows.first()
    with backend_errors_named(lambda: _UNCOMPUTED, (RuntimeError, IndexError, ValueError, KeyError)):
        logs = made.model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
    kept.put_back()  # a layer may draw random numbers when it predicts
    made.model.reset_metrics()
    return [*logs, *(metric.name for metric in recipe.row_metrics)]


def checked_path(path: str | os.PathLike[str], net: keras.Model) -> Path:
    """The path of the checkpoint.

    Raises
    ------
    ParameterError
        If it does not end as files of such nets do, or Keras cannot write the net.
    """
    found = Path(path)
    if isinstance(net, TorchNet):
        if found.suffix == ".keras":
            raise ParameterError(
                f"ckpt_path must end in .pt or .ckpt, as the state_dict of a torch.nn.Module is saved there, got {str(found)!r}."
            )
    elif found.suffix != ".keras":
        raise ParameterError(
            f"ckpt_path must end in .keras, as the best net is saved there, got {str(found)!r}."
        )
    else:
        _check_written(net)
    return found


def check_place(path: Path) -> None:
    """Make the folder of the checkpoint, and see that it takes files, before hours of training are to be kept there.

    Raises
    ------
    RunFolderError
        If it does not.
    """
    advice = "Give a ckpt_path that can be written: the best net is kept there."
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(path, error, advice) from error


def _check_written(net: keras.Model) -> None:
    """Refuse a net that no checkpoint can hold, before it is trained."""
    try:
        keras.saving.serialize_keras_object(net)
    except (NotImplementedError, TypeError, ValueError) as error:
        said = " ".join(str(error).split("Example:")[0].split())
        raise ParameterError(
            f"the net {net.name!r} cannot be saved, and its best epoch is kept in a file. Keras says: {said[:300]}"
        ) from error


def ending(batches: Batches, name: str) -> Batches:
    """The batches, if their epochs end.

    Raises
    ------
    DataError
        If they are known not to.
    """
    if batches.never_ends:
        raise DataError(
            f"{name} never ends, but an epoch ends where its data end: leave out .repeat(), give .take(n_batches) of a "
            "tf.data.Dataset, or say num_batches in a PyDataset."
        )
    return batches


def takes_any_length(net: keras.Model) -> bool:
    """Whether rows may have other lengths in other batches."""
    inputs = keras.tree.flatten(getattr(net, "inputs", None) or [])
    return not inputs or any(size is None for one in inputs for size in one.shape[1:])


def nothing_to_do(position: Position, history: EpochHistory, plan: EpochPlan) -> str:
    """Why there is nothing left to train."""
    if position.epoch >= plan.epochs:
        return f"already trained for {position.epoch} epochs: pass more epochs to continue, or resume=False to begin again"
    return f"stopped in epoch {position.epoch}, {history.waited} epochs behind the best: pass more patience to continue"


def ended(position: Position, history: EpochHistory, plan: EpochPlan, *, interrupted: bool) -> str:
    """Where training was stopped, and how to continue; else which epoch is the best, and where it is kept."""
    if interrupted:
        return (
            f"interrupted in epoch {position.epoch + 1}, behind step {position.step}: call fit again to continue from "
            f"{plan.snapshot}"
        )
    best = history.best
    if best is None:
        return f"no epoch is kept, as none has a finite {plan.monitor}"
    which = "lowest" if plan.mode == "min" else "highest"
    return f"best: epoch {best.epoch} with the {which} {plan.monitor}, {best.score:.4g}, kept in {best.path}"
