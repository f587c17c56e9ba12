"""DFX: text generation on a ring of FPGAs that stream every weight for every token."""
