"""Keras models in the formats of other programs, each export read again and compared before it counts.

==================  ==========  ===  =======  ===================================  ============================
format              TensorFlow  JAX  PyTorch  what it is                           suffix
==================  ==========  ===  =======  ===================================  ============================
``keras``           yes         yes  yes      Keras' own file                      ``.keras``
``tf_saved_model``  yes         yes           a folder that TensorFlow Serving     none
                                              serves
``onnx``            yes              yes      an ONNX graph                        ``.onnx``
``litert``          yes                       LiteRT (TensorFlow Lite)             ``.tflite``
``torchscript``                      yes      a traced PyTorch module              ``.pt``
==================  ==========  ===  =======  ===================================  ============================

A ``.keras`` file of stock layers loads under every backend, so what one backend cannot write another can.
"""

from genokeras.exports.export import Exported, export_model_as
from genokeras.exports.formats import FORMATS, choose_format, format_problem

__all__ = [
    "FORMATS",
    "Exported",
    "choose_format",
    "export_model_as",
    "format_problem",
]
