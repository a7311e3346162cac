"""What damaged files did before: each kind of fault once, as short as it can be said."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import genokeras as gk
from genokeras.data.table import to_csr
from genokeras.errors import ConfigError, DataError, DataFileError, GenoKerasError
from genokeras.projects.config import read_config
from genokeras.projects.config.text import parse_text
from genokeras.projects.data.matrices import read_matrix
from genokeras.support.files import read_arrays
from tests.fuzz.targets import prepare, targets
from tests.fuzz.trying import fault


def archive(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def csr(indices: list[int], shape: tuple[int, int]) -> bytes:
    return archive(
        format=b"csr",
        data=np.ones(3),
        indices=np.array(indices),
        indptr=np.array([0, 1, 3]),
        shape=np.array(shape),
    )


def wide(cells: tuple[str, str]) -> bytes:
    """Four samples, and genes that are numbers, text, or both."""
    n = 2_000
    head = ",".join(["id", *(f"g{i}" for i in range(n))])
    rows = (",".join([f"s{row}", *(cells[(row + i) % 2] for i in range(n))]) for row in range(4))
    return "\n".join([head, *rows, ""]).encode()


X = np.arange(6, dtype="float32").reshape(2, 3)
NO_TEXT = np.array([0x7FFFFFFF, 65], "u4").view("U1")
FILES = {
    "a field too many, 20,000 times": (
        "a.csv",
        b"id,TP53\ns1" + b",1" * 20_000 + b"\ns2,1\n",
        "expected a name",
    ),
    "2,000 genes of text and numbers": ("a.csv", wide(("1", "x")), "expected numbers"),
    "2,000 genes of text": ("a.csv", wide(("x", "x")), "no column of numbers"),
    "sizes in superscripts": ("a.gct", "#1.2\n2\t³\nName\tDescription\tS1\n".encode(), "expected 2 sizes"),
    "sizes of thousands of digits": ("a.gct", b"#1.2\n2\t" + b"9" * 5_000 + b"\n", "expected 2 sizes"),
    "rows of annotations without end": (
        "a.gct",
        b"#1.3\n1\t1\t1\t9" + b"9" * 16 + b"\nid\tnote\tS1\nsex\tna\tf\nTP53\tx\t1\n",
        "announces|without data|empty",
    ),
    "a row of annotations too short": (
        "a.gct",
        b"#1.3\n1\t1\t1\t1\nid\tnote\tS1\nsex\nTP53\tx\t1\n",
        "expected 3 fields",
    ),
    "a gene with 10,000 values too many": (
        "a.gct",
        b"#1.2\n1\t2\nName\tDescription\tS1\tS2\nTP53\tna" + b"\t1\tx" * 10_000 + b"\n",
        "announces 2 samples and its first gene has 20000 values",
    ),
    "indices outside of the matrix, at which scipy crashes": (
        "a.npz",
        csr([0, 1, 9 * 10**6], (2, 3)),
        "damaged",
    ),
    "a billion genes and three values": (
        "a.npz",
        csr([0, 1, 0], (2, 10**9)),
        "announces 1,000,000,000 genes",
    ),
    "a member that is no array": (
        "a.npz",
        archive(X=X, y=X[0]).replace(b"\x93NUMPY", b">NUMPY?"[:6]),
        "damaged|no array",
    ),
    "text of no known letters": ("a.npz", archive(X=X, feature_names=NO_TEXT), "no text"),
}


@pytest.mark.parametrize("what", list(FILES))
def test_files_are_refused_in_our_words_and_in_time(what: str, tmp_path: Path) -> None:
    name, content, said = FILES[what]
    assert fault(gk.load_dataset, tmp_path / name, content) is None
    with pytest.raises(GenoKerasError, match=said):
        gk.load_dataset(tmp_path / name)


def test_an_exponent_of_ten_digits_is_infinite_and_does_not_crash_pandas(tmp_path: Path) -> None:
    for rows in ("1e3333333333,1\n2,3\n", "1e3333333333,x\n2,3\n"):  # columns of numbers, and of objects
        (tmp_path / "a.csv").write_text(f"TP53,MYC\n{rows}")
        with pytest.raises(DataError, match="infinite|text"):
            gk.load_dataset(tmp_path / "a.csv")
    frame = pd.DataFrame({"TP53": ["1e-3333333333", 10**400], "MYC": [1, 2]})
    with pytest.raises(DataError, match="infinite"):
        gk.load_dataset(frame)


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(archive(X=X, y=np.array([b"\xe9", b"b"])))
    assert gk.load_dataset(tmp_path / "a.npz").y is not None


def test_an_archive_of_a_run_whose_header_claims_all_memory_is_refused(tmp_path: Path) -> None:
    content = archive(codes=np.arange(8)).replace(b"(8,)", b"(9" + b"0" * 15 + b",)")
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(GenoKerasError, match=r"data\.npz"):
        read_arrays(tmp_path / "data.npz")


@pytest.mark.parametrize(
    ("name", "said"),
    [("run_content.npz", "no samples"), ("run_predictions.npz", "predictions.npz lacks probabilities")],
)
def test_an_archive_of_a_run_without_its_arrays_is_refused(name: str, said: str, tmp_path: Path) -> None:
    target = targets()[name]
    path = prepare(target, tmp_path / "run")
    np.savez(path)
    with pytest.raises(GenoKerasError, match=said):
        target.read(path)


@pytest.mark.parametrize("header", [b"{'descr': '<f4', ", b"(" * 118, b"{'shape': (2, 9" + b"9" * 60 + b")}"])
def test_an_array_of_a_project_with_a_damaged_header_is_refused(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\1\0\x76\0" + header.ljust(117) + b"\n")
    with pytest.raises(DataFileError, match="no NumPy array"):
        read_matrix(tmp_path / "x.npy", ",")


@pytest.mark.parametrize(("name", "values"), [("indices", [0, 1, 7]), ("indptr", [0, 1, 2, -3])])
def test_a_sparse_matrix_with_wrong_indices_is_refused(name: str, values: list[int]) -> None:
    matrix = sparse.csr_matrix(np.eye(3))
    setattr(matrix, name, np.array(values, dtype="int32"))
    with pytest.raises(DataError, match="damaged sparse matrix"):
        to_csr(matrix)


def test_a_configuration_is_read_in_time_that_grows_with_its_length() -> None:
    text = "{" + "// why\n" * 30_000 + '"a": {"b": 1}, ' * 5_000 + "}"
    found: list[Any] = []
    assert fault(lambda _: found.append(parse_text(text, "a.json")), Path(), None) is None
    assert found[0].value == {"a": {"b": 1}}
    assert len(found[0].repeated) == 4_999


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\x41\u00e9\ud83d\ude00\n\q"', "A\xe9\U0001f600\nq"),
        ("'a\\\nb'", "ab"),
        ("[.5, +1, 0x1F, -Infinity, 1E400]", [0.5, 1, 31, -np.inf, np.inf]),
    ],
)
def test_values_beyond_plain_json_are_read(written: str, value: object) -> None:
    assert parse_text(f"{{a: {written}}}", "a.json").value == {"a": value}


@pytest.mark.parametrize("written", [r'"C:\users"', "9" * 5_000, "0x" + "f" * 5_000])
def test_values_that_are_none_are_refused_with_their_line(written: str) -> None:
    with pytest.raises(ConfigError, match="line 2"):
        parse_text(f"{{\na: {written}}}", "a.json")


def test_of_thousands_of_problems_some_are_listed(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text('{"name": "a", ' + '"nmae": 1, ' * 5_000 + "}")
    with pytest.raises(ConfigError) as found:
        read_config(tmp_path / "project.json")
    lines = str(found.value).splitlines()
    assert lines[0].endswith(" problems") and lines[-1].strip().endswith("more.") and len(lines) < 130


def test_a_configuration_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "project.json").open("wb") as file:
        file.truncate(10**7 + 1)  # takes no room on the disk
    with pytest.raises(ConfigError, match=r"project\.json: 11 MB of JSON: 10 MB are read at most"):
        read_config(tmp_path / "project.json")


def test_samples_of_too_many_levels_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n' + '{"text": ' * 5_000)
    with pytest.raises(DataFileError, match="line 2 is no JSON: it has more than 200 levels"):
        gk.load_texts(tmp_path / "a.jsonl")
