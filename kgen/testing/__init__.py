"""Checks that users can run on models and networks of their own."""

from kgen.testing.checks import CHECKS, check_generative_model
from kgen.testing.second_order import check_second_order_gradients

__all__ = ["CHECKS", "check_generative_model", "check_second_order_gradients"]
