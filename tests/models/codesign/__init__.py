"""Tests of the joint page."""
