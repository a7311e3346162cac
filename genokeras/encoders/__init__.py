"""What a sample is: sequences, images, texts and arrays as networks and linear models read them."""

from genokeras.encoders.array import CHANNELS_FIRST, FLAT, KEPT, ArrayEncoder
from genokeras.encoders.backbone import BackboneEncoder, fit_backbone_encoder
from genokeras.encoders.encoder import COUNTS, TENSOR, Counts, Encoder, NetworkEncoder, Rows, n_rows, take
from genokeras.encoders.image import ImageEncoder, fit_image_encoder
from genokeras.encoders.inference import checked_answers, predict
from genokeras.encoders.motion import moves_matter
from genokeras.encoders.sequence import WINDOW, SequenceEncoder, fit_sequence_encoder
from genokeras.encoders.strands import have_orientation, places_loose
from genokeras.encoders.table import (
    SplitView,
    TableEncoder,
    by_sample,
    fit_split_view,
    fit_table_encoder,
    widened,
)
from genokeras.encoders.text import TextEncoder, fit_text_encoder

__all__ = [
    "CHANNELS_FIRST",
    "COUNTS",
    "FLAT",
    "KEPT",
    "TENSOR",
    "WINDOW",
    "ArrayEncoder",
    "BackboneEncoder",
    "Counts",
    "Encoder",
    "ImageEncoder",
    "NetworkEncoder",
    "Rows",
    "SequenceEncoder",
    "SplitView",
    "TableEncoder",
    "TextEncoder",
    "by_sample",
    "checked_answers",
    "fit_backbone_encoder",
    "fit_image_encoder",
    "fit_sequence_encoder",
    "fit_split_view",
    "fit_table_encoder",
    "fit_text_encoder",
    "have_orientation",
    "moves_matter",
    "n_rows",
    "places_loose",
    "predict",
    "take",
    "widened",
]
