"""Models that others have trained, over keras-hub (the extra ``genokeras[pretrained]``): load a preset, then predict.

keras-hub is imported when a preset is loaded, not before. A preset is a name that keras-hub knows, an address such as
``"hf://user/model"``, or a folder that ``save_to_preset`` of a keras-hub task wrote; only the last needs no network.
"""

from __future__ import annotations

from genokeras.pretrained.base import Pretrained
from genokeras.pretrained.boxes import Detection
from genokeras.pretrained.detector import ObjectDetector
from genokeras.pretrained.texts import SentimentAnalysis, TopicClassifier

__all__ = ["Detection", "ObjectDetector", "Pretrained", "SentimentAnalysis", "TopicClassifier"]
