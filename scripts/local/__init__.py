"""The local stack: everything Foyer needs of AWS, on one machine."""

from scripts.local.engine import EngineFailed, free_port
from scripts.local.stack import LocalStack

__all__ = ["EngineFailed", "LocalStack", "free_port"]
