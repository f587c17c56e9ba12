"""The Dash explorer: one file a page, found by discovery."""
