"""Roofline: the time of a network's operators on a GPU, from its datasheet."""
