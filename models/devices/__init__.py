"""The hardware catalog: one YAML file a kind of device, and the dated price list."""
