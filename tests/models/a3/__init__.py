"""Claims about A3's page and about its executed mechanism."""
