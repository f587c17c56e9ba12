"""One-Shot Tuner (CC 2022): how wrong a predictor is, and what that costs in speed and hours."""
