"""Where a project's results are: its folders under ``save_dir``, and the files of one run.

::

    save_dir/models/<name>/<MMDD_HHMMSS>/hyper_lr0.085_keep_prob_0.8_.../best_model.keras    raw features in
                                                                        /trained.json        written last
    save_dir/output_files/<name>/<MMDD_HHMMSS>/ResNet_metrics.json
                                              /ResNet_confusion_matrix.pdf
                                              /ResNet_predicted_result_data_frame.csv
                                              /VAE_latent_vectors.csv

Every file is written aside and renamed: what has its final name is complete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.errors import RunFolderError
from genokeras.support.files import unwritable

MODEL_FILE = "best_model.keras"

_STAMP = "%m%d_%H%M%S"
_ADVICE = "Give a trainer.save_dir that can be written."
_FIRST = ("keep_prob", "n_latent", "output_nonlinear", "n_blocks")


@dataclass(frozen=True)
class OutputFolder:
    """The folders of one run of a project.

    Parameters
    ----------
    save_dir : pathlib.Path
    name : str
        The project's name.
    stamp : str
        When training began, ``MMDD_HHMMSS``.
    subfolder : str
        Between `save_dir` and the rest, such as ``"enas"``.
    """

    save_dir: Path
    name: str
    stamp: str
    subfolder: str = ""

    @classmethod
    def create(
        cls, save_dir: str | os.PathLike[str], name: str, subfolder: str = "", now: datetime | None = None
    ) -> OutputFolder:
        """Make the folders of a new run.

        Of runs that begin in the same second, each takes the next second that is free.

        Parameters
        ----------
        save_dir : path-like
        name : str
        subfolder : str
        now : datetime, optional
            For the stamp; the local time without it.

        Raises
        ------
        RunFolderError
            If they cannot be made.
        """
        check_save_dir(save_dir)
        moment = now or datetime.now()
        while True:
            folder = cls(Path(save_dir), name, moment.strftime(_STAMP), subfolder)
            try:
                # Making it is the claim: of two processes only one succeeds.
                folder.models.parent.mkdir(parents=True, exist_ok=True)
                folder.models.mkdir()
                folder.outputs.mkdir(parents=True, exist_ok=True)
                return folder
            except FileExistsError as error:
                if not folder.models.is_dir():  # a file stands where a folder should
                    raise unwritable(folder.models, error, _ADVICE) from error
                moment += timedelta(seconds=1)
            except OSError as error:
                raise unwritable(folder.models, error, _ADVICE) from error

    @property
    def root(self) -> Path:
        """`save_dir` with the subfolder."""
        return self.save_dir / self.subfolder

    @property
    def models(self) -> Path:
        """Where the trained models of the run are."""
        return self.root / "models" / self.name / self.stamp

    @property
    def outputs(self) -> Path:
        """Where the figures, tables and metrics of the run are."""
        return self.root / "output_files" / self.name / self.stamp

    def model_path(self, learning_rate: float, values: Mapping[str, Any]) -> Path:
        """Return where the model of some parameters is to be saved."""
        return self.models / hyper_folder_name(learning_rate, values) / MODEL_FILE


def check_save_dir(save_dir: str | os.PathLike[str]) -> None:
    """See that ``save_dir`` is a folder, or can become one.

    Raises
    ------
    RunFolderError
        If it, or what it should be in, is a file.
    """
    path = Path(save_dir).absolute()
    # os.path.exists is False where a folder may not be read, and raises nothing.
    file = next(
        (place for place in (path, *path.parents) if os.path.exists(place) and not place.is_dir()), None
    )
    if file is not None:
        what = "it is a file" if file == path else f"{str(file)!r} is a file"
        raise RunFolderError(
            f"trainer.save_dir is {os.fspath(save_dir)!r}, but {what}: expected a folder, or a path where one can be made."
        )


def hyper_folder_name(learning_rate: float, values: Mapping[str, Any]) -> str:
    """Return the name of the folder of a model, from its parameters.

    Parameters
    ----------
    learning_rate : float
        Shown with six digits.
    values : mapping
        Other parameters; a ``learning_rate`` among them is left out.

    Examples
    --------
    >>> hyper_folder_name(0.08500150000000001, {"n_latent": 128, "n_blocks": 2, "keep_prob": 0.8})
    'hyper_lr0.0850015_keep_prob_0.8_n_latent_128_n_blocks_2'
    """
    rest = {name: value for name, value in values.items() if name != "learning_rate"}
    known = [name for name in _FIRST if name in rest]
    order = [*known, *(name for name in rest if name not in known)]
    text = "_".join([f"hyper_lr{_brief(float(learning_rate))}", *(f"{n}_{_brief(rest[n])}" for n in order)])
    return re.sub(r"[^\w.+-]", "-", text)


def _brief(value: Any) -> str:
    return str(float(f"{value:.6g}")) if isinstance(value, float | np.floating) else str(value)
