"""The operator's API as a client sees it: where it is, how its requests are signed, and what it refuses."""
