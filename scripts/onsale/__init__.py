"""The whole life of one on-sale, step by step, each with what must be true then: `make on-sale` plays it."""
