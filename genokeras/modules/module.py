"""What modules have in common: the search, and the final fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from genokeras.encoders import CHANNELS_FIRST, ArrayEncoder
from genokeras.engine import AllRows, Fathers, final_fit
from genokeras.graph import Shape
from genokeras.interrupt import interruptible
from genokeras.modules.fitted import FittedModule, check_alike
from genokeras.modules.losses import make_task, targets_of
from genokeras.modules.reading import Pairs, expected_shape, read_pairs
from genokeras.modules.search import TEST_CHOOSES, ModuleSettings, prepare, search_module
from genokeras.support.checks import check_whole
from genokeras.support.run_lock import check_unlocked
from genokeras.support.temporary import temporary_folder

DAY = 24 * 60 * 60


class NetModule(FittedModule):
    """A search for one network over arrays; see ``MlpModule`` for parameters and attributes."""

    # ---- what a kind of module is like

    @abstractmethod
    def _layout(self, found: Shape, wanted: Shape, name: str) -> str:
        """How networks read samples of this shape, which ``input_shape`` calls `wanted`; DataError where they cannot."""

    @abstractmethod
    def _fathers(self, shape: Shape, n_outputs: int, length: int | None, width: int | None) -> Fathers:
        """What a search starts from, with the number of layers and the width that were asked for."""

    # ---- fitting

    @interruptible
    def fit(
        self,
        n_output_node: int,
        input_shape: Sequence[int | None] | None,
        train_data: Any,
        test_data: Any,
        time_limit: float | None = DAY,
    ) -> Self:
        """Search for the network that is best on `test_data`, and keep its weights.

        Networks train on `train_data`; `test_data` say when each has trained for long enough, and which is best. Their score
        therefore flatters: for a fair one keep other rows, and give them to ``evaluate``.

        Parameters
        ----------
        n_output_node : int
            Outputs of a network: the number of classes, or of numbers.
        input_shape : sequence of int or None
            Shape of the samples as classic AutoKeras took it, with the number of samples in front (``x_train.shape``), or that of
            one sample. What the data have decides which is meant. None is what the data have.
        train_data, test_data : tuple of (x, y), dataset, loader, generator or function
            Numpy arrays, a ``tf.data.Dataset``, a ``keras.utils.PyDataset``, a PyTorch ``DataLoader``, or an iterable of batches
            ``(x, y)``; a function without arguments returns one anew. They are read into memory whole. Nothing is scaled:
            networks get the numbers that were given.
        time_limit : float or None
            Seconds for all; a day by default. None needs ``searcher_args={"max_trials": ...}``.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the data are missing, empty, not finite, or of other shapes or classes than was said.
        ParameterError
            If loss, metric, searcher or trainer do not know what they are asked for. Nothing was written then.
        RunFolderError
            If the path cannot be written or holds another run.
        SearchError
            If no trial could be trained.
        """
        check_unlocked(self.path)
        settings = self._settings(time_limit)
        check_whole(n_output_node, "n_output_node")
        train, test = read_pairs(train_data, "train_data"), read_pairs(test_data, "test_data")
        encoder = self._encoder(input_shape, train)
        check_alike(encoder, test)
        aim = make_task(self.loss, int(n_output_node), train, test)
        arguments = settings.searcher_args
        fathers = self._fathers(
            encoder.input_shape,
            int(n_output_node),
            arguments.get("default_model_len"),
            arguments.get("default_model_width"),
        )
        prepared = prepare(encoder, train, test, aim, (TEST_CHOOSES, *_notes_on(encoder)))
        self._run, self.final_evaluation_ = None, None
        self._run = search_module(prepared, aim, fathers, settings)
        return self

    def _settings(self, time_limit: float | None) -> ModuleSettings:
        arguments = dict(self.searcher_args or {})
        if self.search_type is not None:
            arguments.setdefault("search_type", self.search_type)
        seed = self.random_state
        if seed is None:
            seed = int(np.random.SeedSequence().entropy % 2**31)  # type: ignore[operator]
        return ModuleSettings(
            kind=self.kind,
            path=str(self.path if self.path is not None else temporary_folder()),
            loss=self.loss,
            metric=self.metric,
            time_limit=time_limit,
            searcher_args=arguments,
            seed=seed,
            replace_run=None if self._run is None else self._run.folder.run_id,
            verbose=bool(self.verbose),
        )

    def _encoder(self, input_shape: Sequence[int | None] | None, train: Pairs) -> ArrayEncoder:
        found = train.sample_shape
        wanted = expected_shape(input_shape, found, train.name)
        return ArrayEncoder(found, self._layout(found, wanted, train.name))

    def final_fit(
        self,
        train_data: Any,
        test_data: Any = None,
        trainer_args: Mapping[str, Any] | None = None,
        retrain: bool = False,
    ) -> Self:
        """Train the best network on all of `train_data`, and deliver that.

        It trains for as many epochs as were best in the search. `test_data` only score: ``final_evaluation_`` says how it
        went; nothing is chosen by them, and they do not end training.

        Parameters
        ----------
        train_data, test_data : as in ``fit``; without `test_data` nothing is scored
        trainer_args : dict, optional
            ``max_iter_num`` sets the number of epochs, ``batch_size`` the rows of a batch.
        retrain : bool, default=False
            Start from fresh weights; False goes on from those of the search.

        Raises
        ------
        NotFittedError, DataError, ParameterError
        """
        run = self._fitted()
        train = self._read(train_data, "train_data")
        test = None if test_data is None else self._read(test_data, "test_data")
        targets = targets_of(run.task, train, run.problem.targets)
        data = AllRows(run.problem.encoder.rows(train.x), targets, np.ones(len(targets)))
        self._run = final_fit(run, data, trainer_args, retrain, run.folder.settings["label_smoothing"])
        self.final_evaluation_ = None if test is None else self._score(test)
        return self


def _notes_on(encoder: ArrayEncoder) -> tuple[str, ...]:
    if encoder.layout != CHANNELS_FIRST:
        return ()
    return (
        f"Samples of shape {encoder.shape} have their channels first, by input_shape: networks read {encoder.input_shape}.",
    )
