"""Augmentation inside a model: pure functions of images and random draws."""

from kgen.augmentation.differentiable import (
    POLICIES,
    affine,
    check_policies,
    color,
    cutout,
    differentiable_augmentation,
    thickness,
    translation,
)

__all__ = [
    "POLICIES",
    "affine",
    "check_policies",
    "color",
    "cutout",
    "differentiable_augmentation",
    "thickness",
    "translation",
]
