"""An HDF5 file that hangs or crashes the library is refused; the check reads good files."""

from __future__ import annotations

import base64
import subprocess
import zlib
from pathlib import Path
from typing import Any

import h5py
import pytest

from genokeras import load_dataset
from genokeras.data.readers import hdf5_check
from genokeras.errors import DataFileError


def good(folder: Path) -> Path:
    with h5py.File(folder / "a.h5ad", "w") as file:
        file.attrs["encoding"] = "anndata"
        file.create_dataset("names", data=["a", "b"])
    return folder / "a.h5ad"


def test_a_good_file_passes(tmp_path: Path) -> None:
    hdf5_check.check_readable(good(tmp_path))


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        ("import time; time.sleep(60)", "could not be read in 0 seconds"),
        ("import os; os.abort()", "crashes HDF5"),
    ],
)
def test_what_hangs_or_crashes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: str, said: str
) -> None:
    program = tmp_path / "walk.py"
    program.write_text(walk)
    monkeypatch.setattr(hdf5_check, "_WALK", program)
    if "sleep" in walk:
        monkeypatch.setattr(hdf5_check, "_SECONDS", 0.3)
    with pytest.raises(DataFileError, match=said):
        hdf5_check.check_readable(good(tmp_path))


def test_where_no_process_can_be_started_the_file_is_read_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no processes here")

    monkeypatch.setattr(subprocess, "run", refuse)
    hdf5_check.check_readable(good(tmp_path))


# An h5ad file of 12 kB with four damaged bytes: one attribute hangs HDF5, behind another that cannot be opened.
HANGING = (
    "c-rk+%}x_h6u#3b?NC~nLMa6?ju8yXPXIA-L1GP{U8oRcfh!o>5t_i1Oe=wiapM9L7d`+F;KB!R;lia0mp%fIz`}(Ic4p2Q=3YAe"
    "C#m*+o5Q(3=iYnf+%w;t@*%bOFcKOH5fhR`{6r>hoB`%1X&w7FKnfs_Kz{aNdxzDRfOZ+|E26D$LHp{nr6qIp83SDBYuuIz!qJXM"
    "Ej?H<<r?S;$R9p>9QNm4<}JCW8dQAVt8rb7*P}jL--Y%tNrByN5+f4P^mHzh)i);#2fJFaeNYgrnX<FCMC~JJ+7!?4&ZC9p#{z)~"
    "%s3OOu4mMOO7OTHAg8BhrlyM$Opy@CblzCsQ42<P-`4#e^HA>uX)f~0P<J%Y0~hAaTJwTT|9V!>X#04|^Zlrs8f72%pT0xy*J+=%"
    "Wf$8%gMO!FzIeo<*Hyz%4@^DcvEOc{9Vhg7jF&6;CF(J+*TXM;j9;F-Sg>S_(9dUe<*wzK{tD-e(_!MQ@8rt}&lwyX92^`R92^`R"
    "92~8PDApN3$NE{AtiXp}l&&-EX+}Pq({a8>z2VJU*LNz`8+^pOE{6>=d|6hi%S{YX(>U4;UUj*RI6clPUKNqmGugD3H|1`@sJ|}v"
    "{OR(dKt!kB^cxB+XitH{N-~b|ZR6)vdfX}KF@=uf)tmIVL(q@M{?EL_`m53UX2_Lq#K!ZOW7nO>{M0@J#lI6IzolCHlO>#)wEG3Y"
    "$$f4qGCJl(Tu^|B!1*FGPb~JEJyGQv)bJECAd!K0&VD7U-{<oQ_GxT;qM!_+r)eCuScH7PZ#yxWWbd3jSbiqnxx$t5<M7TM54T6o"
    "tUbnLYbYDj-m&$5xb$23Q;YkhHa}s_++Vk!zFei>TK|@x*c@i&z*3y<BOGt5N=`R-gTB8U?ak>hp5~Zqg1>FyZ+sY+$p*Oy%gGw$"
    "BAqVI&~ZszBw*PEu0ev9UGz^SI{}xSpk-$b`Xfa<36jojzuwU&b4Erp%I*vDqQK+{(Pdw<+NHWUj@P>9`IRvF)eo6untINSKF_f0"
    "JYiR!I~=jw)|{1;s^ZS)ve(7vAx7_XzCC;n4?4YG9S{07!gC892hG2Sk-Fl$R^D(jT8dva8rSY~bi3mE&nO$$wS9!*X!zF(GJlEw"
    "?<vDWVz=NNRq~MIapGEyquqH3=Fx9srFjU(W2#9t5w_;jOdcX%(*27ziHG!3=dF*2T>Ne+pO-JzX6oe~hvTK*|IOqb{jR)rGEpDz"
    "@Vo5A7@pSW@C?Dpf7`ctPG}XLVU|h%0$5c|dH"
)


@pytest.mark.timeout(60)
def test_an_attribute_that_hangs_behind_one_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "damaged.h5ad"
    path.write_bytes(zlib.decompress(base64.b85decode(HANGING)))
    with pytest.raises(DataFileError, match=r"damaged\.h5ad is damaged"):
        load_dataset(path)
