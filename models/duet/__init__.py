"""DUET: which subgraphs of a network run on the CPU, which on the GPU, and at what latency."""
