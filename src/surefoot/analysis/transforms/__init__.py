"""Transforms from matched pairs of points: shift-turn-scale, affine and local, weighed by evidence."""

from surefoot.analysis.transforms.frames import Similarity
from surefoot.analysis.transforms.posterior import Transform, fit_transform

__all__ = ["Similarity", "Transform", "fit_transform"]
