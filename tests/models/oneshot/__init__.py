"""Tests of the page oneshot."""
