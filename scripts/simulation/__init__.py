"""The deterministic simulator: the product's own use cases on a virtual clock and a model of DynamoDB."""
