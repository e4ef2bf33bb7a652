"""Watching a training: measured signals of what goes wrong, and going back to where it was well."""

from kgen.callbacks.doctor.diagnosis import Diagnosis
from kgen.callbacks.doctor.doctor import Doctor

__all__ = ["Diagnosis", "Doctor"]
