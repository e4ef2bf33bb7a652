"""Serving: SavedModels for TensorFlow Serving, and a client of it."""

from kgen.serving.client import Client
from kgen.serving.errors import ServerError, ServerTimeoutError, ServerUnavailableError
from kgen.serving.export import check_architecture, export, load
from kgen.serving.portable import export_litert, export_onnx
from kgen.serving.server_config import write_config

__all__ = [
    "Client",
    "ServerError",
    "ServerTimeoutError",
    "ServerUnavailableError",
    "check_architecture",
    "export",
    "export_litert",
    "export_onnx",
    "load",
    "write_config",
]
