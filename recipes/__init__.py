"""Recipes: one callable script a system."""
