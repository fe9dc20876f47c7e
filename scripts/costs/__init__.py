"""What Foyer costs: operation counts measured by the tests, times a file of prices."""
