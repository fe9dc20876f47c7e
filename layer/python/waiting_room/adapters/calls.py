"""The calls items in the counters table: what was called last, for those who tell it. Their stream is the message."""

from __future__ import annotations

from waiting_room.adapters.dynamodb import Clients, Table, encode, writing
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.answers import Answer


class CallRecords:
    """One item for each lane of a run; a newer one replaces it, an older one that arrives late does not."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "counters", table_name)

    def put(self, calls: Calls) -> bool:
        """Write what was called; False when what a later tick called is there already. Raises Overloaded."""
        answer = writing(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(f"calls#{calls.zone_id}#{calls.run}#{calls.lane}", 0),
            UpdateExpression="SET #from = :from, #to = :to, #tick = :tick, #near = :near",
            ConditionExpression="attribute_not_exists(#tick) OR #tick < :tick",
            ExpressionAttributeNames={"#from": "from", "#to": "to", "#tick": "tick", "#near": "near"},
            ExpressionAttributeValues=encode(
                {":from": calls.first, ":to": calls.end, ":tick": calls.tick, ":near": calls.near}
            ),
        )
        return answer is not Answer.NO
