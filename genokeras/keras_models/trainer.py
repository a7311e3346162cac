"""A LightModel's training in the order of PyTorch Lightning's calls: Trainer, fit, test."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, final

import keras
import numpy as np
import pandas as pd

from genokeras.errors import NotFittedError, ParameterError
from genokeras.keras_models.devices import asked_device
from genokeras.keras_models.light_model import LightModel
from genokeras.keras_models.metric_directions import MODES
from genokeras.support.checks import check_choice, check_whole
from genokeras.training import TorchNet, is_torch_net, torch_summary


@final
class ModelCheckpoint:
    """Which epochs a :class:`Trainer` keeps.

    Parameters
    ----------
    monitor : str
        A column of the history.
    save_top_k : int
        Best epochs that are kept; -1: all.
    mode : {"auto", "min", "max"}
        As for :meth:`LightModel.fit`.
    dirpath : path-like, optional
        By default ``checkpoints`` in the trainer's folder.

    Attributes
    ----------
    best_model_path : str
        Empty before training.
    best_model_score : float or None

    Examples
    --------
    >>> checkpoint = ModelCheckpoint(monitor="val_loss", save_top_k=1, mode="min")
    >>> checkpoint.best_model_path
    ''
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        save_top_k: int = 1,
        mode: str = "auto",
        dirpath: str | os.PathLike[str] | None = None,
    ) -> None:
        check_choice(mode, "mode", MODES)
        check_whole(1 if save_top_k == -1 else save_top_k, "save_top_k (-1 for all)")
        self.monitor, self.save_top_k, self.mode, self.dirpath = monitor, save_top_k, mode, dirpath
        self.best_model_path = ""
        self.best_model_score: float | None = None


@final
class Trainer:
    """Trains and tests a :class:`LightModel` that has a ``shared_step``.

    Parameters
    ----------
    max_epochs : int
    gpus : int, str, list of int, optional
        Whatever Keras takes by default; 0: the processor; 1, [0] or "0": a GPU. More than one, or more than there are, is an
        error.
    devices, tpus : optional
        One device, or none that is a TPU; anything else is an error.
    callbacks : sequence of ModelCheckpoint
        At most one.
    resume_from_checkpoint : path-like, optional
        A checkpoint beside which there is a ``.resume`` file: training continues there.
    default_root_dir : path-like
        Every training has a folder ``version_0``, ``version_1`` and so on in it.
    batch_size : int
        Rows of a batch, where the data are arrays.
    seed : int
        Of the order of the rows, where the data are arrays.
    verbose : {0, 1}

    Attributes
    ----------
    checkpoint_callback : ModelCheckpoint
        Where the best net is, after `fit`.

    Raises
    ------
    ParameterError
        If a callback is none of ours, or the devices are not there.

    Examples
    --------
    >>> trainer = Trainer(max_epochs=10, gpus=0, callbacks=[ModelCheckpoint(monitor="val_loss")])
    >>> trainer.fit(model, train_loader, valid_loader)  # doctest: +SKIP
    >>> trainer.test(model, valid_loader)  # doctest: +SKIP
    """

    def __init__(
        self,
        max_epochs: int = 10,
        gpus: Any = None,
        *,
        devices: Any = None,
        tpus: Any = None,
        callbacks: Sequence[ModelCheckpoint] = (),
        resume_from_checkpoint: str | os.PathLike[str] | None = None,
        default_root_dir: str | os.PathLike[str] = "light_logs",
        batch_size: int = 32,
        seed: int = 0,
        verbose: int = 1,
    ) -> None:
        check_whole(max_epochs, "max_epochs")
        asked_device(gpus, devices, tpus)
        odd = [type(one).__name__ for one in callbacks if not isinstance(one, ModelCheckpoint)]
        if odd or len(callbacks) > 1:
            raise ParameterError(
                f"callbacks may hold one genokeras.ModelCheckpoint, got {', '.join(odd) or len(callbacks)}."
            )
        self.checkpoint_callback = callbacks[0] if callbacks else ModelCheckpoint()
        self._epochs, self._gpus, self._verbose = max_epochs, gpus, verbose
        self._root, self._resumed = Path(default_root_dir), resume_from_checkpoint
        self._batch_size, self._seed = batch_size, seed

    def fit(self, model: LightModel, train_dataloaders: Any, val_dataloaders: Any = None) -> pd.DataFrame:
        """Train; the model ends with its best weights.

        Parameters
        ----------
        model : LightModel
        train_dataloaders, val_dataloaders
            Whatever :meth:`LightModel.fit` takes.

        Returns
        -------
        pandas.DataFrame
            The history, which is ``model.history`` too.

        Raises
        ------
        ParameterError
            If `model` is no LightModel.
        """
        _check_light(model)
        checkpoint = self.checkpoint_callback
        monitor = checkpoint.monitor
        if val_dataloaders is None and monitor == "val_loss":
            monitor = "loss"
        with self._device():
            history = model.fit(
                train_dataloaders,
                val_dataloaders,
                epochs=self._epochs,
                ckpt_path=self._path(model),
                monitor=monitor,
                mode=checkpoint.mode,
                patience=None,
                plot=False,
                batch_size=self._batch_size,
                seed=self._seed,
                verbose=self._verbose,
                save_top_k=checkpoint.save_top_k,
            )
        if model.best is not None:
            checkpoint.best_model_path, checkpoint.best_model_score = model.best.path, model.best.score
        return history

    def test(self, model: LightModel, test_dataloaders: Any, verbose: bool = True) -> list[dict[str, float]]:
        """The loss and all metrics on other data, as ``test_loss`` and so on.

        Parameters
        ----------
        model : LightModel
        test_dataloaders
            Whatever :meth:`LightModel.evaluate` takes.
        verbose : bool
            Print them too.

        Returns
        -------
        list of dict
            One.

        Raises
        ------
        ParameterError
            If `model` is no LightModel.
        """
        _check_light(model)
        with self._device():
            found = model.evaluate(test_dataloaders, batch_size=self._batch_size)
        results = {f"test_{name}": value for name, value in found.items()}
        if verbose:
            print(results)
        return [results]

    def _device(self) -> AbstractContextManager[Any]:
        return asked_device(self._gpus)

    def _path(self, model: LightModel) -> Path:
        if self._resumed is not None:
            path = Path(self._resumed)
            if not path.with_name(f"{path.name}.resume").is_file():
                raise ParameterError(
                    f"there is no {path.name}.resume beside {str(path)!r}, which training could continue from."
                )
            return path
        folder = self.checkpoint_callback.dirpath
        if folder is None:
            number = 0
            while (self._root / f"version_{number}").exists():
                number += 1
            folder = self._root / f"version_{number}" / "checkpoints"
        Path(folder).mkdir(parents=True, exist_ok=True)
        return Path(folder) / ("best.ckpt" if is_torch_net(model.net) else "best.keras")


def _check_light(model: Any) -> None:
    if isinstance(model, LightModel):
        return
    name = model.__name__ if isinstance(model, type) else type(model).__name__
    if isinstance(model, type):
        advice = f"the class {name}: pass an instance, {name}(net)."
    elif isinstance(model, keras.Model):
        advice = f"a bare net ({name}): wrap it, model = gk.LightModel(net), and say how to train with model.compile(...)."
    elif is_torch_net(model):
        advice = f"a bare net ({name}): wrap it in a subclass of gk.LightModel with shared_step and configure_optimizers."
    else:
        advice = f"{name}."
    raise ParameterError(f"model must be a LightModel, got {advice}")


def seed_everything(seed: int = 0) -> int:
    """Seed Python, NumPy and the backend of Keras.

    Examples
    --------
    >>> seed_everything(123)
    123
    """
    keras.utils.set_random_seed(check_whole(seed, "seed", least=0))
    return seed


def summary(model: Any, input_shape: tuple[int, ...] | None = None) -> None:
    """Print the layers of a net, the shapes of their outputs and their parameters.

    Parameters
    ----------
    model : LightModel, keras.Model or torch.nn.Module
    input_shape : tuple of int, optional
        Of one row. Needed where the net does not know it.

    Raises
    ------
    ParameterError
        If the net does not know its inputs and there is no `input_shape`, or if it has others.
    """
    net = model.net if isinstance(model, LightModel) else model
    if isinstance(net, TorchNet):
        net = net.inner.module
    if is_torch_net(net):
        _print_torch(net, input_shape)
        return
    if not isinstance(net, keras.Model):
        raise ParameterError(
            f"model must be a LightModel, a keras.Model or a torch.nn.Module, got {type(net).__name__}."
        )
    if input_shape is not None:
        known = getattr(net, "input_shape", None) if net.built else None
        if isinstance(known, tuple) and not _fits(known[1:], tuple(input_shape)):
            raise ParameterError(
                f"the net reads rows of shape {known[1:]}, got input_shape={tuple(input_shape)}."
            )
        net(np.zeros((1, *input_shape), "float32"))
    elif not net.built:
        raise NotFittedError("the net does not know its inputs yet: pass input_shape=, the shape of one row.")
    net.summary()


def _fits(known: tuple[int | None, ...], asked: tuple[int, ...]) -> bool:
    return len(known) == len(asked) and all(a in (None, b) for a, b in zip(known, asked, strict=True))


def _print_torch(net: Any, input_shape: tuple[int, ...] | None) -> None:
    if input_shape is None:
        raise ParameterError(
            "a torch.nn.Module does not know its inputs: pass input_shape=, the shape of one row."
        )
    rows = torch_summary(net, tuple(input_shape))
    rule, total = "-" * 64, sum(row[2] for row in rows)
    trained = sum(row[3] for row in rows)
    print(rule, f"{'Layer (type)':>25} {'Output Shape':>25} {'Param #':>12}", "=" * 64, sep="\n")
    for name, shape, parameters, _ in rows:
        print(f"{name:>25} {list(shape)!s:>25} {parameters:>12,}")
    print("=" * 64, f"Total params: {total:,}", f"Trainable params: {trained:,}", sep="\n")
    print(f"Non-trainable params: {total - trained:,}", rule, sep="\n")
