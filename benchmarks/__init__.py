"""Speed as ratios to a bare NumPy kernel in the same run: `uv run python -m benchmarks`."""
