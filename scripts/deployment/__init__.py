"""What the parts of a deployment are called, and where the one that runs on this machine is described."""
