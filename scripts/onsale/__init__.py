"""The whole life of one on-sale, step by step, each with what must be true then: `scripts/on_sale.py` plays it."""
