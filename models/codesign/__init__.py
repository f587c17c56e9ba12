"""The joint system: one platform out of the papers' parts."""
