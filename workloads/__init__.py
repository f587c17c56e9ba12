"""Networks: one module a family, found by slug through the `FAMILY` it names.

Here stands `transformer`. Later families get their own module and data file beside it, under
the names `cnn`, `recurrent` and `recommendation`; nothing else has to change for them.
"""
