"""Makes the zips that are deployed: the layer, one per function, the edge bundle."""
