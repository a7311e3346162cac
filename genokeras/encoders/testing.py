"""Contract tests for encoders: subclass one in pytest, say how to make the encoder and its samples.

from genokeras.encoders.testing import NetworkEncoderContract

class TestMyEncoder(NetworkEncoderContract):
    def make_data(self):
        return load_sequences([...])

    def make_encoder(self):
        return MyEncoder(...)
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from scipy import sparse

from genokeras.encoders.encoder import Counts, Encoder, NetworkEncoder, Rows, n_rows, take
from genokeras.encoders.files import has_samples, read_samples, write_samples
from genokeras.encoders.row_files import packed_rows
from genokeras.support import RunFolder

# Of the numbers that a network reads, those that random changes without motion may hide.
_MOST_HIDDEN = 0.25


class EncoderContract(ABC):
    """What every encoder must hold to.

    Attributes
    ----------
    n_samples : int
        How many samples `make_data` gives, three or more of which no two are alike.
    """

    n_samples: ClassVar[int] = 6

    @abstractmethod
    def make_data(self) -> Any:
        """Samples as the encoder takes them."""

    @abstractmethod
    def make_encoder(self) -> Encoder:
        """An encoder that was fitted to them."""

    def kept_rows(self, encoder: Encoder) -> Rows:
        """What a run folder keeps of the samples."""
        return encoder.rows(self.make_data())

    def test_every_array_of_the_rows_has_a_row_for_each_sample(self) -> None:
        rows = self.make_encoder().rows(self.make_data())
        assert rows
        assert {values.shape[0] for values in rows.values()} == {self.n_samples}

    def test_the_model_reads_a_row_for_each_sample(self) -> None:
        encoder = self.make_encoder()
        inputs = encoder.model_inputs(encoder.rows(self.make_data()))
        assert inputs
        assert all(isinstance(name, str) for name in inputs)
        assert {int(values.shape[0]) for values in inputs.values()} == {self.n_samples}

    def test_the_same_samples_have_the_same_identity(self) -> None:
        first, second = (self._identity(self.make_data()) for _ in range(2))
        assert first == second

    def test_samples_in_another_order_have_another_identity(self) -> None:
        encoder = self.make_encoder()
        rows = encoder.rows(self.make_data())
        turned = take(rows, np.arange(self.n_samples)[::-1])
        assert _bytes(encoder.identity(rows)) != _bytes(encoder.identity(turned))

    def test_every_view_says_what_a_graph_reads(self) -> None:
        encoder = self.make_encoder()
        assert encoder.widths
        for view, width in encoder.widths.items():
            units = encoder.input_units(view)
            assert width >= 1
            assert (units[-1] if isinstance(units, tuple) else units) == width
        assert encoder.numbers_per_row >= 1

    def test_what_stands_beside_an_exported_model_is_json(self) -> None:
        said = self.make_encoder().sidecar()
        assert said and json.loads(json.dumps(said)) == said

    def test_a_run_folder_keeps_encoder_and_samples(self, tmp_path: Path) -> None:
        encoder = self.make_encoder()
        rows = self.kept_rows(encoder)
        names = list(getattr(encoder, "feature_names", ()))
        folder = RunFolder.create(tmp_path / "run", {"feature_names": names})
        assert not has_samples(folder)
        write_samples(folder, encoder, rows)
        assert has_samples(folder)
        again, held = read_samples(RunFolder(folder.path), getattr(encoder, "medians", None))
        assert type(again) is type(encoder)
        assert again.widths == encoder.widths and again.sidecar() == encoder.sidecar()
        assert _bytes(held) == _bytes(rows)
        before, after = (each.model_inputs(each.rows(self.make_data())) for each in (encoder, again))
        assert list(before) == list(after)
        for name, values in before.items():
            np.testing.assert_array_equal(np.asarray(after[name]), np.asarray(values))

    def test_the_reader_reads_the_same_samples(self) -> None:
        encoder = self.make_encoder()
        data = self.make_data()
        reader = encoder.reader
        inputs = encoder.model_inputs(encoder.rows(data))
        assert set(reader.model_inputs(reader.rows(data))) == set(inputs)

    def _identity(self, data: Any) -> dict[str, bytes]:
        encoder = self.make_encoder()
        return _bytes(encoder.identity(encoder.rows(data)))


class NetworkEncoderContract(EncoderContract):
    """What encoders must hold to besides, where networks read tensors and linear models read counts."""

    @abstractmethod
    def make_encoder(self) -> NetworkEncoder:
        """An encoder that was fitted to the samples."""

    def encoded(self) -> tuple[NetworkEncoder, Rows]:
        """The encoder, and the rows of its samples."""
        encoder = self.make_encoder()
        return encoder, encoder.rows(self.make_data())

    def test_networks_read_finite_numbers_of_the_shape_that_was_said(self) -> None:
        encoder, rows = self.encoded()
        tensor = encoder.tensor(rows)
        assert tensor.shape == (self.n_samples, *encoder.input_shape)
        assert np.isfinite(tensor).all()
        assert encoder.places >= 1

    def test_random_changes_keep_the_shape_and_are_those_of_the_generator(self) -> None:
        encoder, rows = self.encoded()
        first, second = (encoder.tensor(rows, np.random.default_rng(3)) for _ in range(2))
        assert first.shape == encoder.tensor(rows).shape
        np.testing.assert_array_equal(first, second)

    def test_a_device_reads_the_same(self) -> None:
        encoder, rows = self.encoded()
        picked = np.array([3, 0, 4])
        drawn = encoder.draw(rows, picked, np.random.default_rng(3))
        kept = take({name: rows[name] for name in encoder.read_rows}, picked)
        read = encoder.read(
            *({k: keras.ops.convert_to_tensor(v) for k, v in d.items()} for d in (kept, drawn))
        )
        expected = encoder.tensor(take(rows, picked), np.random.default_rng(3))
        np.testing.assert_allclose(keras.ops.convert_to_numpy(read), expected, atol=1e-5)

    def test_a_sample_is_read_alike_whatever_stands_beside_it(self) -> None:
        encoder, rows = self.encoded()
        picked = np.array([2, 0])
        few = take(rows, picked)
        np.testing.assert_allclose(encoder.tensor(few), encoder.tensor(rows)[picked], atol=1e-6)
        np.testing.assert_allclose(
            _dense(encoder.counts(few)), _dense(encoder.counts(rows))[picked], atol=1e-6
        )

    def test_looks_cover_every_sample(self) -> None:
        encoder, rows = self.encoded()
        looks = list(encoder.looks(rows))
        seen = np.concatenate([look.samples for look in looks])
        assert set(seen.tolist()) == set(range(n_rows(rows)))
        assert len(seen) == encoder.n_looks(rows)
        assert all(look.tensor.shape == (len(look.samples), *encoder.input_shape) for look in looks)

    def test_counts_have_a_column_for_each_number(self) -> None:
        encoder, rows = self.encoded()
        counts = encoder.counts(rows)
        assert counts.shape == (self.n_samples, encoder.n_counts)
        assert np.isfinite(_dense(counts)).all()

    def test_linear_views_read_the_first_columns_of_the_counts(self) -> None:
        encoder = self.make_encoder()
        for view in encoder.linear_views.values():
            assert view.n_columns is None or 1 <= view.n_columns <= encoder.n_counts

    def test_a_still_encoder_leaves_samples_at_their_place(self) -> None:
        encoder, rows = self.encoded()
        still = encoder.still()
        plain = encoder.tensor(rows)
        assert still.input_shape == encoder.input_shape and still.widths == encoder.widths
        np.testing.assert_array_equal(still.tensor(rows), plain)
        drawn = still.tensor(rows, np.random.default_rng(0))
        assert (drawn != plain).mean() <= _MOST_HIDDEN

    def test_every_input_of_the_model_is_described(self) -> None:
        encoder, rows = self.encoded()
        assert set(encoder.model_inputs(rows)) <= set(encoder.describe_inputs())

    def test_the_encoder_is_json(self) -> None:
        encoder = self.make_encoder()
        assert json.loads(json.dumps(encoder.to_dict()))["kind"] == encoder.kind


def _bytes(rows: Rows) -> dict[str, bytes]:
    return {
        name: np.ascontiguousarray(_dense(values)).tobytes() for name, values in packed_rows(rows).items()
    }


def _dense(counts: Counts) -> np.ndarray:
    return counts.toarray() if sparse.issparse(counts) else np.asarray(counts)
