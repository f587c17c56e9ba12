"""Networks against published counts and their own invariants."""
