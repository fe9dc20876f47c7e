"""Open WebSockets, by the management API of API Gateway."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from waiting_room.domain.errors import Overloaded
from waiting_room.ports import Delivery

BUSY = frozenset({"LimitExceededException", "TooManyRequestsException", "ThrottlingException"})


class ApiGatewayConnections:
    """Sends to connections; what the SDK's own retries do not settle counts as failed."""

    def __init__(self, client: Any) -> None:
        """`client` is boto3's `apigatewaymanagementapi`, made for the endpoint of the WebSocket API's stage."""
        self._client = client

    def push(self, connection_id: str, message: bytes) -> Delivery:
        """Send a message. Any refusal that is neither "gone" nor "busy" is raised: a right or a name is wrong."""
        try:
            self._client.post_to_connection(ConnectionId=connection_id, Data=message)
        except (NoConnection, HTTPClientError):
            return Delivery.FAILED
        except ClientError as error:
            code, status = _refusal(error)
            if code == "GoneException" or status == 410:
                return Delivery.GONE
            if code in BUSY or status == 429 or status >= 500:
                return Delivery.FAILED
            raise
        return Delivery.SENT

    def close(self, connection_id: str) -> None:
        """End a connection; one that is gone is ended. Raises Overloaded when it may still be there."""
        try:
            self._client.delete_connection(ConnectionId=connection_id)
        except (NoConnection, HTTPClientError) as error:
            raise Overloaded from error
        except ClientError as error:
            code, status = _refusal(error)
            if code in BUSY or status == 429 or status >= 500:
                raise Overloaded from error
            if code != "GoneException" and status != 410:
                raise


def _refusal(error: ClientError) -> tuple[str, int]:
    """Code and status of a refused call."""
    return error.response["Error"]["Code"], int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
