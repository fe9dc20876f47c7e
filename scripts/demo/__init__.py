"""The whole of it on one machine: local stack, dev edge, sample site and a crowd."""
