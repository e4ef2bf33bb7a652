"""Serving: SavedModels for TensorFlow Serving, and a client of it."""

from kgen.serving.client import Client
from kgen.serving.export import check_architecture, export, load
from kgen.serving.portable import export_litert, export_onnx
from kgen.serving.server_config import write_config
from kgen.serving.tensors import ServerError

__all__ = [
    "Client",
    "ServerError",
    "check_architecture",
    "export",
    "export_litert",
    "export_onnx",
    "load",
    "write_config",
]
