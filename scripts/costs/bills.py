"""Bills: charges of one situation, part by part, and their sums."""

from __future__ import annotations

from dataclasses import dataclass

LOW = "M"
"""Confidence of a price nobody has looked up."""
ARCHIVE = "archive (can be switched off)"


@dataclass(frozen=True)
class Price:
    """USD for `per` units."""

    key: str
    usd: float
    per: int
    unit: str
    confidence: str
    free: int = 0
    """Units a month that an account is not charged for."""


@dataclass(frozen=True)
class Charge:
    """One charge: how much of something, in one part of the bill."""

    part: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """What it costs, USD."""
        return self.quantity / self.price.per * self.price.usd


@dataclass(frozen=True)
class Bill:
    """The charges of one situation."""

    title: str
    lines: tuple[Charge, ...]

    @property
    def usd(self) -> float:
        """The sum, USD."""
        return sum(line.usd for line in self.lines)

    @property
    def usd_without_archive(self) -> float:
        """The sum, USD, of a deployment that archives nothing."""
        return self.usd - self.parts.get(ARCHIVE, 0.0)

    @property
    def usd_after_free(self) -> float:
        """The sum, USD, in an account that uses the free units of the month for nothing else."""
        used: dict[str, float] = {}
        for line in self.lines:
            used[line.price.key] = used.get(line.price.key, 0.0) + line.quantity
        prices = {line.price.key: line.price for line in self.lines}
        return sum(max(0.0, used[key] - price.free) / price.per * price.usd for key, price in prices.items())

    @property
    def parts(self) -> dict[str, float]:
        """The sum of each part, USD, in the order they were written."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.part] = sums.get(line.part, 0.0) + line.usd
        return sums

    @property
    def doubtful_usd(self) -> float:
        """How much of the sum hangs on prices nobody has looked up, USD."""
        return sum(line.usd for line in self.lines if line.price.confidence == LOW)

    def doubtful(self, part: str) -> bool:
        """Whether most of a part hangs on such a price."""
        own = [line for line in self.lines if line.part == part]
        return sum(line.usd for line in own if line.price.confidence == LOW) > sum(line.usd for line in own) / 2
