"""Deterministic simulation with faults: the real use cases, stepped at every store call; one seed repeats a run."""
