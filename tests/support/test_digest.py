"""Digests are what run folders hold already: their values must never change."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from genokeras.encoders.feature_model import digest
from genokeras.estimators.gene_content import _samples_digest
from genokeras.projects.data.loading import ProjectData
from genokeras.support.digest import hex_digest


def test_an_array_counts_by_its_bytes_in_the_order_of_rows() -> None:
    x = np.arange(6, dtype="float32").reshape(2, 3)
    wanted = hashlib.sha256(x.tobytes()).hexdigest()
    assert hex_digest(x, length=64) == hex_digest(np.asfortranarray(x), length=64) == wanted
    assert hex_digest(x) == wanted[:32]


def test_parts_count_one_behind_the_other() -> None:
    wanted = hashlib.sha256("größe".encode() + np.int64(3).tobytes() + b"x").hexdigest()
    assert hex_digest("größe", np.array(3), "x", length=64) == wanted


def test_a_sparse_matrix_counts_by_its_values_and_places() -> None:
    x = sparse.csr_matrix([[0.0, 2.0], [3.0, 0.0]])
    assert hex_digest(x) == hex_digest(x.data, x.indices, x.indptr)
    assert hex_digest(x) != hex_digest(sparse.csr_matrix([[2.0, 0.0], [0.0, 3.0]]))


def test_the_digest_of_a_text_is_the_known_one() -> None:
    assert hex_digest("abc") == "ba7816bf8f01cfea414140de5dae2223"


def test_objects_have_no_digest() -> None:
    with pytest.raises(TypeError):
        hex_digest(np.array([1, "a"], dtype=object))


# ---- values that earlier versions wrote into run folders

X = np.arange(12, dtype="float32").reshape(4, 3) / 7
CODES, NAMES = np.array([0, 1, 0, 1]), ("TP53", "MYC", "ERß")


def test_the_fingerprint_of_genes_is_that_of_earlier_runs() -> None:
    assert _samples_digest(X, NAMES, CODES) == "c8e03753f0e35c9496a2b1817d58a973"
    assert hex_digest(X, CODES, "\0".join(NAMES)) == "c8e03753f0e35c9496a2b1817d58a973"
    assert (
        hex_digest(sparse.csr_matrix(np.round(X)), CODES, "\0".join(NAMES))
        == "7688371f43fee74016846161abcfe39b"
    )


def test_the_fingerprint_of_shaped_samples_is_that_of_earlier_runs() -> None:
    parts = ("a", np.array(["one", "two"]), "b", X, CODES)
    assert hex_digest(*parts) == "c12f68cb77e1520220a4bb2344ce0e9a"
    assert hex_digest(*parts, np.array([1, 2, 1, 1.0])) == "6a23cd96734860a26f9aa0f02288892f"


def test_the_fingerprint_of_a_project_is_that_of_earlier_runs() -> None:
    data = ProjectData(X, None, (), NAMES, ())
    assert data.features_digest == "16624a56d061f68bfd56eee167d8424b7498b81d448e2bea85647d9e511f470e"
    features = "abc"
    settings = '{"a": [0.5], "b": 1}'
    assert hex_digest(settings, features, CODES, length=64) == (
        "d3a6499e94549f59ed50dd7d1a9a620c7f35ef0a2608c79ccc72ed57019f3804"
    )
    assert hex_digest(settings, features, "", length=64) == (
        "27610c7998689259ca551224f9b26260dc81b2d0c5fc9ee72b26dcf2a7bd35eb"
    )


def test_the_digest_of_a_backbone_is_that_of_earlier_runs() -> None:
    words = SimpleNamespace(get_vocabulary=lambda: ["", "the", "gen\udc80"])
    model = SimpleNamespace(weights=[X, np.uint32(3)], layers=[words])
    assert digest(model) == "127e2471e252bff24d3aa4c55b507bce"
