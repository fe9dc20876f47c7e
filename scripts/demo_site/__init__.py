"""The demo's origin: a made-up concert hall that knows nothing of the waiting room but two calls and some headers."""
