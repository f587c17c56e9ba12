"""DnD: hours to recover a network from its binary, and how much of it comes back."""
