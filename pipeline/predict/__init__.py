"""Predictions from raw text with a trained model."""

from pipeline.predict.predictor import Predictor

__all__ = ["Predictor"]
