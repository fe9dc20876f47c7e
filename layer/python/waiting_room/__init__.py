"""Foyer: a virtual waiting room. Domain, use cases and adapters shared by every Lambda."""
