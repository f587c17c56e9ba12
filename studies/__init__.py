"""One question a file; found by slug."""
