"""Networks: one module a family, found by slug through the `FAMILY` it names.

A family lists its networks in a data file beside it, says what training them keeps, and reads a
workload file that describes a network nobody listed. `huggingface` makes such files.
"""
