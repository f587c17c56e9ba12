"""One file a network family; found by slug."""
