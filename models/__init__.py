"""One room a paper; found by slug, never imported by name from the framework."""
