"""Augmentation inside a model: pure functions of images and random draws."""

from kgen.augmentation.differentiable import (
    POLICIES,
    check_policies,
    color,
    cutout,
    differentiable_augmentation,
    translation,
)

__all__ = [
    "POLICIES",
    "check_policies",
    "color",
    "cutout",
    "differentiable_augmentation",
    "translation",
]
