"""Tests of the hardware catalog."""
