"""Consumed capacity, as AWS bills it: 1 write unit per KB, 1 read unit per 4 KB, transactions double.

Counted here and not asked of an emulator: moto 5.2.5 says 1 for a put of 10 KB, ministack 1.5.33 says 0.5 for reading
it (findings/consumed_capacity.sh).
"""

from __future__ import annotations

from collections import defaultdict

_WRITE_BYTES = 1024
_READ_BYTES = 4096


class Units:
    """Running totals of write and read units (`write`, `read`) and the same by (operation, table)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to zero."""
        self.write = 0.0
        self.read = 0.0
        self.writes_by: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.reads_by: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add_write(self, operation: str, table: str, units: float) -> None:
        self.write += units
        self.writes_by[operation, table] += units

    def add_read(self, operation: str, table: str, units: float) -> None:
        self.read += units
        self.reads_by[operation, table] += units


def write_units(size: int, transactional: bool = False) -> int:
    """Write units for an item of `size` bytes, the larger of before and after; at least one."""
    units = max(1, -(-size // _WRITE_BYTES))
    return 2 * units if transactional else units


def read_units(size: int, consistent: bool) -> float:
    """Read units for `size` bytes read; half when eventually consistent. Nothing read is one block."""
    blocks = max(1, -(-size // _READ_BYTES))
    return float(blocks) if consistent else blocks / 2
