"""An in-memory DynamoDB for tests and the simulator: the low-level boto3 client's methods, as strict as AWS."""

from __future__ import annotations

from tests.memory_dynamo.client import MemoryDynamo
from tests.memory_dynamo.errors import client_error
from tests.memory_dynamo.tables import load_declarations
from tests.memory_dynamo.units import Units

__all__ = ["MemoryDynamo", "Units", "client_error", "load_declarations"]
