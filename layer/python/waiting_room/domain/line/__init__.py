"""Places in line: how numbers become positions, draws, and how long it will take."""
