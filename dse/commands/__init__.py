"""The verbs, a few a file; each is thin: parse, call, print."""
