"""Every encoder holds to the contract."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from scipy import sparse

from genokeras.data import ImageData, SequenceData, load_dataset, load_images, load_sequences, load_texts
from genokeras.data.dataset import Dataset
from genokeras.data.texts import TextData
from genokeras.encoders import (
    CHANNELS_FIRST,
    FLAT,
    ArrayEncoder,
    BackboneEncoder,
    ImageEncoder,
    Rows,
    SequenceEncoder,
    TableEncoder,
    TextEncoder,
    fit_backbone_encoder,
    fit_image_encoder,
    fit_sequence_encoder,
    fit_table_encoder,
    fit_text_encoder,
)
from genokeras.encoders.testing import EncoderContract, NetworkEncoderContract
from genokeras.features import BY_CLASS

VIEWS = ("all", "top5", "log", "weighted20")


class TestTable(EncoderContract):
    medians: np.ndarray | None = None

    def values(self) -> Any:
        return np.random.default_rng(0).gamma(2.0, 3.0, size=(self.n_samples, 40)).astype("float32")

    def make_data(self) -> Dataset:
        return load_dataset(self.values())

    def fitted(self) -> tuple[TableEncoder, Rows]:
        data = self.make_data()
        fold = np.arange(self.n_samples) // 2 % 3
        train = np.stack([fold != f for f in range(3)])
        codes = np.arange(self.n_samples) % 2
        return fit_table_encoder(data.x, codes, train, VIEWS, BY_CLASS, data.feature_names, self.medians)

    def make_encoder(self) -> TableEncoder:
        return self.fitted()[0]

    def kept_rows(self, encoder: Any) -> Rows:
        return self.fitted()[1]


class TestSparseTable(TestTable):
    def values(self) -> sparse.csr_matrix:
        dense = super().values()
        return sparse.csr_matrix(np.where(dense > 5, dense, 0))


class TestTableWithMissingValues(TestTable):
    medians = np.arange(40, dtype="float32")


def letters(*lengths: int) -> list[str]:
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list("ACGT"), size=n)) for n in lengths]


class TestSequencesOfOneLength(NetworkEncoderContract):
    def make_data(self) -> SequenceData:
        return load_sequences(letters(*[24] * 6), extra=np.arange(12.0).reshape(6, 2))

    def make_encoder(self) -> SequenceEncoder:
        return fit_sequence_encoder(self.make_data(), strands=False, shift=3)[0]


class TestSequencesReadByWindows(NetworkEncoderContract):
    def make_data(self) -> SequenceData:
        return load_sequences(letters(20, 23, 24, 40, 50, 71))

    def make_encoder(self) -> SequenceEncoder:
        return fit_sequence_encoder(self.make_data(), strands=True, window=24)[0]

    def test_a_still_encoder_leaves_samples_at_their_place(self) -> None:
        """Windows and strands are drawn all the same."""
        assert self.make_encoder().still().shift == 0


class TestImages(NetworkEncoderContract):
    def make_data(self) -> ImageData:
        pixels = np.random.default_rng(0).integers(0, 255, size=(6, 8, 10, 3))
        return load_images(pixels.astype("uint8"))

    def make_encoder(self) -> ImageEncoder:
        return fit_image_encoder(self.make_data())


class TestTexts(NetworkEncoderContract):
    def make_data(self) -> TextData:
        endings = ("dull", "great", "größer", "fine and good", "ok", "a music film")
        return load_texts([f"the film was {ending}" for ending in endings])

    def make_encoder(self) -> TextEncoder:
        return fit_text_encoder(self.make_data())[0]


class TestArrays(NetworkEncoderContract):
    layout = "kept"

    def make_data(self) -> np.ndarray:
        return np.random.default_rng(0).normal(size=(6, 3, 8, 10)).astype("float32")

    def make_encoder(self) -> ArrayEncoder:
        return ArrayEncoder((3, 8, 10), self.layout)


class TestFlatArrays(TestArrays):
    layout = FLAT


class TestArraysWithChannelsFirst(TestArrays):
    layout = CHANNELS_FIRST


def a_backbone() -> keras.Model:
    keras.utils.set_random_seed(0)
    read = keras.Input((8, 10, 3))
    return keras.Model(
        read, layers.Conv2D(5, 3, data_format="channels_last")(layers.Rescaling(1 / 255)(read))
    )


class TestBackbone(NetworkEncoderContract):
    def make_data(self) -> ImageData:
        return TestImages().make_data()

    def make_encoder(self) -> BackboneEncoder:
        data = self.make_data()
        return fit_backbone_encoder(fit_image_encoder(data), a_backbone(), data).encoder
