"""Tests of the `copflash` page."""
