"""A3: attention that looks for its candidates in sorted columns before it multiplies."""
