"""The dev edge: plays CloudFront on one machine, with the real gatekeeper in front of the site."""

from scripts.edge.server import Edge

__all__ = ["Edge"]
