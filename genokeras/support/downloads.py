"""What keeps downloads that fail short and tidy."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path

from genokeras.errors import DataFileError

_KAGGLE, _HUGGING_FACE = "kaggle://", "hf://"
_PATIENCE = 10.0  # seconds


def check_hugging_face(source: str) -> None:
    """Knock once where files must come from Hugging Face, whose client would try for half a minute.

    Parameters
    ----------
    source : str
        Name or address of a preset; only ``hf://`` addresses are looked at.

    Raises
    ------
    DataFileError
        If nobody answers within ten seconds.
    """
    if not source.startswith(_HUGGING_FACE) or find_spec("huggingface_hub") is None:
        return
    client = importlib.import_module("huggingface_hub")
    try:
        cached = client.try_to_load_from_cache(source.removeprefix(_HUGGING_FACE), "config.json")
    except ValueError:
        return  # an address that is no address; keras-hub says so
    if isinstance(cached, str) or client.constants.HF_HUB_OFFLINE:
        return
    try:
        client.get_session().head(client.constants.ENDPOINT, timeout=_PATIENCE)
    except Exception as error:  # of requests or httpx, which of them is up to the version
        raise DataFileError(
            f"the preset {source!r} cannot be downloaded: {client.constants.ENDPOINT} does not answer ({error}). Check the "
            "connection, or load a folder that save_to_preset wrote."
        ) from error


def remove_empty_folders(address: str) -> None:
    """Remove the empty folders that a download from Kaggle leaves in its cache where it fails at the first file."""
    if not address.startswith(_KAGGLE) or find_spec("kagglehub") is None:
        return
    cache = Path(importlib.import_module("kagglehub.config").get_cache_folder())
    folder = cache / "models" / address.removeprefix(_KAGGLE)
    while folder != cache and folder.is_relative_to(cache) and ".." not in folder.parts:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return  # it holds files
        folder = folder.parent
