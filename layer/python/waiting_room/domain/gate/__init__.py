"""What the edge decides about every request, from the gate snapshot and the request alone."""
