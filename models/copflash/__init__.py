"""Cop-Flash: a drive of SLC and TLC blocks under training traffic."""
