"""One verb per module. Each takes its ports at construction and plain values when called."""
