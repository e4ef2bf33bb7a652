"""The version of kgen, which scores and exports carry."""

__version__ = "0.1.0"
