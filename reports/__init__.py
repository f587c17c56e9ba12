"""The PDF report: one file a section, found by discovery."""
