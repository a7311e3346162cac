"""Fitted preprocessing: standardisation, row space, views; encodings of sequences and texts, scales of images."""

from genokeras.features.block_views import block_of, block_views, fit_block_views
from genokeras.features.filling import Filling, fit_filling
from genokeras.features.forward import Selected, forward_selection, selection_scale
from genokeras.features.image_scaling import (
    DEEP,
    Augmentation,
    ImageScaling,
    fit_image_scaling,
    random_transforms,
    scale_of_pixels,
    spread_against,
    transform_images,
)
from genokeras.features.logarithm import EPSILON as LOG_EPSILON
from genokeras.features.logarithm import log_factors, log_normalised
from genokeras.features.novelty import NoveltySpace, fit_novelty, novelty_seconds
from genokeras.features.pairs import pair_correlation, strongest_pairs
from genokeras.features.rescaling import Rescaling, fit_rescaling, key_of, normal_scores
from genokeras.features.rowspace import (
    TRUNCATED_RANK,
    PrincipalAxes,
    RowSpace,
    fit_row_space,
    principal_axes,
    restrict,
)
from genokeras.features.screening import (
    BY_CLASS,
    Screening,
    Statistic,
    anova_f,
    ridge_weights,
    squared_correlation,
)
from genokeras.features.sequence_encoding import (
    PROBABILITIES,
    kmer_counts,
    kmer_names,
    mask,
    one_hot,
    padded_codes,
    reverse_complement,
    words_by_place,
    words_near,
)
from genokeras.features.standardise import (
    Matrix,
    Standardisation,
    column_blocks,
    standardisation,
    standardised_blocks,
    varies,
)
from genokeras.features.text_encoding import (
    NgramTfidf,
    Vocabulary,
    fit_ngram_tfidf,
    fit_vocabulary,
)
from genokeras.features.views import (
    DEFAULT_VIEWS,
    TRAVELLING_VIEWS,
    FittedView,
    available_views,
    fit_in_space,
    fit_views,
    is_paired,
)

__all__ = [
    "BY_CLASS",
    "DEEP",
    "DEFAULT_VIEWS",
    "LOG_EPSILON",
    "PROBABILITIES",
    "TRAVELLING_VIEWS",
    "TRUNCATED_RANK",
    "Augmentation",
    "Filling",
    "FittedView",
    "ImageScaling",
    "Matrix",
    "NgramTfidf",
    "NoveltySpace",
    "PrincipalAxes",
    "Rescaling",
    "RowSpace",
    "Screening",
    "Selected",
    "Standardisation",
    "Statistic",
    "Vocabulary",
    "anova_f",
    "available_views",
    "block_of",
    "block_views",
    "column_blocks",
    "fit_block_views",
    "fit_filling",
    "fit_image_scaling",
    "fit_in_space",
    "fit_ngram_tfidf",
    "fit_novelty",
    "fit_rescaling",
    "fit_row_space",
    "fit_views",
    "fit_vocabulary",
    "forward_selection",
    "is_paired",
    "key_of",
    "kmer_counts",
    "kmer_names",
    "log_factors",
    "log_normalised",
    "mask",
    "normal_scores",
    "novelty_seconds",
    "one_hot",
    "padded_codes",
    "pair_correlation",
    "principal_axes",
    "random_transforms",
    "restrict",
    "reverse_complement",
    "ridge_weights",
    "scale_of_pixels",
    "selection_scale",
    "spread_against",
    "squared_correlation",
    "standardisation",
    "standardised_blocks",
    "strongest_pairs",
    "transform_images",
    "varies",
    "words_by_place",
    "words_near",
]
