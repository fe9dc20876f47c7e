"""A whole sale over the real use cases, recorded by the real recorder, its archive written as files."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

from tests.support.memory_aws import MemoryFirehose, MemoryQueue
from tests.support.sale import Sale
from waiting_room.adapters.archive import FirehoseArchive, line_of
from waiting_room.adapters.audit_log import AuditLog
from waiting_room.adapters.dynamodb import Clients, decode
from waiting_room.adapters.failures import SqsFailures
from waiting_room.adapters.metrics import CloudWatchMetrics
from waiting_room.adapters.tallies import Tallies
from waiting_room.domain.errors import WaitingRoomError
from waiting_room.domain.line.places import Session
from waiting_room.streams import QueueStream
from waiting_room.use_cases.control import ControlZone, ZoneChange
from waiting_room.use_cases.history import Audit
from waiting_room.use_cases.metrics import ReadMetrics
from waiting_room.use_cases.record import Record

VISITORS, SECONDS = 240, 900


class RecordedSale:
    """One run of a zone with two lanes: an onrush, a rate that is halved, a pause; some leave, some buy."""

    def __init__(self, seed: int = 8) -> None:
        self.random = random.Random(seed)
        self.sale = Sale(
            title="Midnight sun",
            max_active=25,
            rate_per_min=40,
            lanes={"general": {"weight": 1}, "vip": {"weight": 2}},
            inventory=90,
        )
        sale = self.sale
        clients = Clients(sale.store, sale.store)
        self.firehose, self.failures, self.lines = MemoryFirehose(), MemoryQueue(), []
        archive = FirehoseArchive(self.firehose, "archive", lambda _: None)
        self.tallies = Tallies(clients, "counters")
        self.metrics = ReadMetrics(sale.zones, sale.minutes, self.tallies, sale.clock)
        backend = CloudWatchMetrics("foyer", self.lines.append)
        record = Record(archive, self.tallies, backend, sale.clock)
        self.recorder = QueueStream(record, SqsFailures(self.failures, "https://sqs.test/1/failures"))
        audit = Audit(AuditLog(clients, "counters"), archive, sale.clock)
        self._control = ControlZone(sale.zones, sale.gates, lambda _: None, sale.wake, sale.clock, sale.ids, audit)
        self._delivered = 0
        self._run()

    def control(self, reason: str = "", **what: Any) -> None:
        """An operator's change."""
        self.sale.zone = self._control("z", ZoneChange(reason=reason, **what), "arn:aws:iam::1:user/ada")

    def _run(self) -> None:
        sale, chance = self.sale, self.random
        arrivals = sorted(min(SECONDS - 200, int(chance.expovariate(1 / 90))) for _ in range(VISITORS))
        waiting: dict[str, int] = {}
        inside: list[tuple[int, str, Session, str]] = []
        joined = 0
        for second in range(SECONDS):
            self._operators(second)
            sale.tick()
            while joined < VISITORS and arrivals[joined] <= second:
                name = f"{'vip' if joined % 6 == 0 else 'general'}{joined:04d}".ljust(22, "_")
                sale.verbs.join(sale.zone, name, invited="vip" if name.startswith("vip") else "")
                waiting[name] = second + int(chance.expovariate(1 / 400))
                joined += 1
            for name, patience in list(waiting.items()):
                if second >= patience:
                    (sale.leave if chance.random() < 0.5 else sale.mark_away)(name)
                    del waiting[name]
                elif second % 3 == 0:
                    answer = self._claimed(name)
                    if isinstance(answer, Session):
                        del waiting[name]
                        does = chance.choices(["buy", "leave", "vanish"], [5, 2, 1])[0]
                        inside.append((second + chance.randint(15, 50), name, answer, does))
            for until, name, session, does in [each for each in inside if each[0] == second]:
                inside.remove((until, name, session, does))
                self._end(name, session, does)
            if second % 4 == 0:
                self._deliver()
        self._deliver()

    def _operators(self, second: int) -> None:
        if second == 180:
            self.control("The shop is slow.", changes={"rate_per_min": 20})
        if second == 300:
            self.control("Payment is down.", control="pause")
        if second == 330:
            self.control("It is back.", control="auto")
        if second == 400:
            self.control(changes={"rate_per_min": 60, "max_active": 30})

    def _claimed(self, name: str) -> Any:
        try:
            return self.sale.claim(name)
        except WaitingRoomError:
            return None

    def _end(self, name: str, session: Session, does: str) -> None:
        try:
            if does == "buy":
                self.sale.confirm(session, f"order-{name}")
            elif does == "leave":
                self.sale.leave(name, session.sid)
        except WaitingRoomError:
            pass

    def _deliver(self) -> None:
        """What has changed since, some of it twice, in batches of a size nobody chose."""
        records = self.sale.stream.records
        begin = max(0, self._delivered - self.random.randint(0, 6))
        while begin < len(records):
            end = begin + self.random.randint(1, 20)
            assert self.recorder({"Records": records[begin:end]})["batchItemFailures"] == []
            begin = end
        self._delivered = len(records)

    @property
    def minutes(self) -> list[dict[str, Any]]:
        """The minute rows, as the API tells them."""
        return self.metrics("z", 1440).minutes

    @property
    def items(self) -> list[dict[str, Any]]:
        """The queue table as it is in the end."""
        found = self.sale.store.scan(TableName="queue")
        assert "LastEvaluatedKey" not in found
        return [decode(item) for item in found["Items"]]

    def write(self, folder: Path) -> Path:
        """The archive's files: as Firehose lays them out, compressed, several to a partition."""
        for number, row in enumerate(self.firehose.rows):
            part = folder / f"changes/zone_id={row['zone_id']}/day={row['day']}"
            part.mkdir(parents=True, exist_ok=True)
            with gzip.open(part / f"foyer-archive-{number % 3}.gz", "ab") as file:
                file.write(line_of(row))
        return folder
