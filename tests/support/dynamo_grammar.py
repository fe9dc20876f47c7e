"""Generated DynamoDB requests, right and wrong ones, for a strict engine and its model to agree on.

A request is drawn from the whole grammar of expressions rather than from what our adapters write: paths that overlap,
names that are reserved or undefined, values of any type, sets that are empty, numbers out of range, keys that do not
fit. `random.Random(seed)` repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

Request = dict[str, Any]
ATTRIBUTES: Request = {
    "n": {"N": "5"},
    "d": {"N": "-0.25"},
    "s": {"S": "xyz"},
    "e": {"S": ""},
    "r": {"B": b"xy"},
    "f": {"BOOL": True},
    "z": {"NULL": True},
    "ss": {"SS": ["p", "q"]},
    "ns": {"NS": ["1", "2.5"]},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"L": [{"N": "7"}]}, {"M": {"a": {"N": "9"}}}]},
    "m": {"M": {"n": {"N": "1"}, "s": {"S": "y"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}, "m": {"M": {"a": {"S": "b"}}}}},
}
_ROOTS = ("n", "d", "s", "e", "r", "f", "z", "ss", "ns", "l", "m", "absent")
_PATHS = ("m.n", "m.s", "m.l[0]", "m.l[1]", "m.m.a", "m.more", "m.more.b", "l[0]", "l[1]", "l[2][0]", "l[3].a", "l[9]")
_WRONG_PATHS = ("n.a", "s[0]", "m[0]", "l.a", "absent.a", "absent[1]", "l[00]", "pk", "sk", "status", "Name")
_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")
_COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_ODD_TEXTS = ("", "NS", "SS", "N", "Q", "x" * 300)
_ODD_NUMBERS = (
    "0", "-0", "1E125", "9.9E125", "1E126", "-1E126", "1E-130", "1E-131", "0E200", "1" * 38, "1" * 39, "1" + "0" * 60,
    "0." + "0" * 40 + "1", "1.0", "007", "1e2", "+1", ".5", "5.", "one", "", " 1", "0x1", "NaN", "1_0",
)  # fmt: skip
_ODD_VALUES: tuple[Request, ...] = (
    {"SS": []}, {"NS": []}, {"BS": []}, {"L": []}, {"M": {}}, {"S": ""}, {"B": b""}, {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]}, {"BS": [b"a", b"a"]}, {"SS": [""]}, {"NULL": False}, {}, {"S": "a", "N": "1"},
    {"M": {"": {"N": "1"}}}, {"L": [{"SS": []}]}, {"M": {"a": {"N": "1E126"}}}, {"L": [{"NULL": False}]},
    {"S": "x" * 409_600}, {"S": "x" * 409_000}, {"NS": ["1", "x"]},
)  # fmt: skip


class Grammar:
    """Draws the parts of one request and notes the placeholders they use."""

    def __init__(self, rng: Random, partition: str) -> None:
        self.rng = rng
        self.keys = [{"pk": {"S": partition}, "sk": {"N": number}} for number in ("1", "2", "-1.5", "1E3")]
        self.names: dict[str, str] = {}
        self.values: Request = {}
        self._mischief = rng.choice((0.1, 1.0))

    def another(self) -> Grammar:
        """One for the next request of a transaction, with placeholders of its own."""
        return Grammar(self.rng, self.keys[0]["pk"]["S"])

    def seldom(self, chance: float) -> bool:
        return self.rng.random() < chance

    def wrong(self, chance: float = 0.05) -> bool:
        """Whether to do what is mostly refused; in half of all requests next to never, for one fault hides others."""
        return self.rng.random() < chance * self._mischief

    def any_of(self, *choices: Callable[[], str]) -> str:
        return self.rng.choice(choices)()

    def number(self) -> str:
        return self.rng.choice(_ODD_NUMBERS if self.wrong(0.15) else ("1", "2", "5", "-3", "0.5", "2.5", "10"))

    def value_of(self, kind: str) -> Request:
        """A value of this type."""
        rng = self.rng
        if kind == "N":
            return {"N": self.number()}
        if kind == "S":
            return {"S": rng.choice(_ODD_TEXTS if self.wrong(0.1) else ("x", "xy", "y", "p", "b"))}
        if kind == "B":
            return {"B": rng.choice((b"x", b"xy", b"z"))}
        if kind in ("SS", "NS"):
            members = ("p", "q", "r") if kind == "SS" else ("1", "2.5", "7")
            return {kind: rng.sample(members, rng.randint(1, 3))}
        if kind == "L":
            return {"L": [self.value_of(rng.choice("NS")) for _ in range(rng.randint(0, 3))]}
        if kind == "M":
            return {"M": {name: self.value_of(rng.choice("NS")) for name in rng.sample(("a", "n", "b"), 2)}}
        return {"BOOL": rng.random() < 0.5} if kind == "BOOL" else {"NULL": True}

    def any_value(self) -> Request:
        """A value of any type, now and then one that cannot be."""
        if self.wrong(0.08):
            return self.rng.choice(_ODD_VALUES)
        if self.wrong(0.04):
            return nested(self.rng.randint(29, 34), self.rng.choice("LM"))
        return self.value_of(self.rng.choice(("N", "N", "S", "S", "B", "SS", "NS", "L", "M", "BOOL", "NULL")))

    def value(self, *kinds: str) -> str:
        """A placeholder: of one of these types, mostly."""
        if self.values and self.seldom(0.1):
            return self.rng.choice(list(self.values))
        drawn = self.value_of(self.rng.choice(kinds)) if kinds and not self.wrong(0.2) else self.any_value()
        return ":nowhere" if self.wrong(0.01) else self.given(drawn)

    def path(self, *likely: str) -> str:
        """A path; each name of it may stand as a placeholder."""
        if self.wrong(0.04):
            path = self.rng.choice(_WRONG_PATHS)
        elif likely and not self.seldom(0.3):
            path = self.rng.choice(likely)
        else:
            path = self.rng.choice(_PATHS if self.seldom(0.4) else _ROOTS)
        return ".".join(self._named(part) for part in path.split("."))

    def _named(self, part: str) -> str:
        if not self.seldom(0.15):
            return part
        name, bracket, index = part.partition("[")
        self.names[f"#{name}"] = name
        return ("#nobody" if self.wrong(0.05) else f"#{name}") + bracket + index

    def operand(self) -> str:
        """What stands in a condition beside a comparator."""
        return self.any_of(
            self.path,
            self.path,
            self.value,
            lambda: self.value("N", "S"),
            lambda: f"size({self.path('s', 'l', 'm', 'ss', 'r') if not self.wrong() else self.value()})",
            lambda: f"({self.path()})",
        )

    def comparison(self) -> str:
        symbol, kind = self.rng.choice(_COMPARATORS), self.rng.choice(("N", "S", "B"))
        path = {"N": ("n", "d", "m.n", "l[0]"), "S": ("s", "e", "m.s"), "B": ("r",)}[kind]
        return self.any_of(
            lambda: f"{self.path(*path)} {symbol} {self.value(kind)}",
            lambda: f"{self.operand()} {symbol} {self.operand()}",
            lambda: f"size({self.path()}) {symbol} {self.value('N')}",
        )

    def predicate(self) -> str:
        """A condition without AND, OR and NOT."""
        return self.any_of(
            self.comparison,
            self.comparison,
            lambda: f"{self.operand()} BETWEEN {self.value('N', 'S')} AND {self.value('N', 'S')}",
            lambda: f"{self.path('n', 'd')} BETWEEN {self.value('N')} AND {self.operand()}",
            lambda: f"{self.operand()} IN ({', '.join(self.operand() for _ in range(self.rng.randint(1, 3)))})",
            lambda: f"attribute_exists({self.path() if not self.wrong() else self.operand()})",
            lambda: f"attribute_not_exists({self.path() if not self.wrong() else self.operand()})",
            lambda: f"attribute_type({self.path()}, {self.type_name()})",
            lambda: f"begins_with({self.operand()}, {self.value('S', 'B') if not self.wrong(0.2) else self.operand()})",
            lambda: f"contains({self.operand()}, {self.value() if not self.wrong(0.2) else self.operand()})",
        )

    def type_name(self) -> str:
        kinds = ("S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL", "X" if self.wrong(0.5) else "S")
        return self.operand() if self.wrong() else self.given({"S": self.rng.choice(kinds)})

    def condition(self, depth: int = 0) -> str:
        """A condition of any shape."""
        if depth > 2 or self.rng.random() < 0.5:
            text = self.predicate()
            return text if not self.wrong(0.03) else self.broken(text)
        return self.any_of(
            lambda: f"NOT {self.condition(depth + 1)}",
            lambda: f"({self.condition(depth + 1)})",
            lambda: f"{self.condition(depth + 1)} AND {self.condition(depth + 1)}",
            lambda: f"{self.condition(depth + 1)} OR {self.condition(depth + 1)}",
        )

    def broken(self, text: str) -> str:
        """The text with a token taken away, doubled or put somewhere else."""
        tokens = text.split(" ")
        at = self.rng.randrange(len(tokens))
        if self.seldom(0.5):
            del tokens[at]
        else:
            tokens.insert(at, self.rng.choice([*tokens, "AND", ")", "(", ",", "+", "="]))
        return " ".join(tokens)

    def new_value(self, depth: int = 0) -> str:
        """What SET gives an attribute."""
        inner = self.new_value if self.seldom(0.1) and depth < 2 else None
        other: Callable[[], str] = (lambda: inner(depth + 1)) if inner else self.value
        return self.any_of(
            self.value,
            self.path,
            lambda: f"{self.path('n', 'd', 'm.n')} {self.rng.choice('+-')} {self.value('N')}",
            lambda: f"{other()} {self.rng.choice('+-')} {self.path('n', 'd', 'l[0]')}",
            lambda: f"if_not_exists({self.path()}, {other()})",
            lambda: f"if_not_exists({self.path('n', 'absent')}, {self.value('N')}) + {self.value('N')}",
            lambda: f"list_append({self.path('l', 'm.l')}, {self.value('L')})",
            lambda: f"list_append({self.value('L')}, if_not_exists({self.path('l', 'absent')}, {self.value('L')}))",
            lambda: f"({other()})",
        )

    def action(self, clause: str) -> str:
        if clause == "SET":
            return f"{self.path()} = {self.new_value()}"
        if clause == "REMOVE":
            return self.path(*_PATHS, *_ROOTS)
        if clause == "ADD":
            kind, path = self.rng.choice((("N", "n"), ("N", "d"), ("SS", "ss"), ("NS", "ns"), ("N", "absent")))
            return f"{self.top(path)} {self.value(kind)}"
        kind = self.rng.choice(("SS", "NS"))
        return f"{self.top(kind.lower())} {self.value(kind)}"

    def top(self, likely: str) -> str:
        """A top-level attribute: ADD and DELETE may take no other (Developer Guide, "Update expressions")."""
        return self._named(self.rng.choice(_ROOTS) if self.wrong(0.2) else likely)

    def update(self) -> str:
        """An update of one to three clauses."""
        clauses = self.rng.sample(("SET", "SET", "REMOVE", "ADD", "DELETE"), self.rng.choice((1, 1, 2, 3)))
        parts, changed = [], set[str]()
        for clause in clauses if self.wrong(0.03) else dict.fromkeys(clauses):
            drawn = [self.action(clause) for _ in range(self.rng.choice((1, 1, 2, 3)))]
            actions = [action for action in drawn if self._goes_on(action, changed)] or drawn[:1]
            parts.append(f"{clause} {', '.join(actions)}")
        text = " ".join(parts)
        return text if not self.wrong(0.03) else self.broken(text)

    def _goes_on(self, action: str, changed: set[str]) -> bool:
        """Whether the action may stand beside the others: mostly of an attribute they do not change."""
        root = action.lstrip("#").split(" ")[0].split(".")[0].split("[")[0]
        if root in changed and not self.seldom(0.1):
            return False
        changed.add(root)
        return True

    def placeholders(self, *texts: str) -> Request:
        """The names and values these texts use, now and then one more or one less."""
        rng, given = self.rng, Request()
        used = set(_PLACEHOLDER.findall(" ".join(texts)))
        names = {name: drawn for name, drawn in self.names.items() if name in used}
        values = {name: drawn for name, drawn in self.values.items() if name in used}
        if self.wrong(0.03):
            values[rng.choice((":unused", ":x-y", "v"))] = {"N": "1"}
        if self.wrong(0.03):
            names[rng.choice(("#unused", "#x-y", "n"))] = rng.choice(("n", ""))
        for kind, placeholders in (("Names", names), ("Values", values)):
            if placeholders and self.wrong(0.03):
                del placeholders[rng.choice(list(placeholders))]
            if placeholders or self.wrong(0.01):
                given[f"ExpressionAttribute{kind}"] = placeholders
        return given

    def key(self, near: Request) -> Request:
        """This key, now and then another one or one that cannot be."""
        partition, sort = near["pk"], near["sk"]
        odd: tuple[Request, ...] = (
            {"pk": {"S": ""}, "sk": sort}, {"pk": partition}, {**near, "n": {"N": "1"}}, {},
            {"pk": {"N": "1"}, "sk": sort}, {"pk": partition, "sk": {"S": "1"}}, {**near, "sk": {"N": "7.0"}},
            {**near, "pk": {"S": "a" * 2049}}, {**near, "sk": {"N": "1" * 39}}, {**near, "sk": {"N": "7"}},
        )  # fmt: skip
        return self.rng.choice(odd) if self.wrong() else near

    def item(self) -> Request:
        """An item to put, with attributes of any type."""
        attributes = self.rng.sample([*_ROOTS, "m", "l"], self.rng.randint(0, 5))
        return {**self.key(self.rng.choice(self.keys)), **{name: self.any_value() for name in attributes}}

    def projection(self) -> str:
        """What of an item is wanted."""
        roots = self.rng.sample(_ROOTS, self.rng.randint(1, 3))
        text = ", ".join(self.path(root) for root in roots)
        return text if not self.wrong(0.05) else self.broken(text)

    def key_condition(self) -> str:
        """Which keys a query wants."""
        partition = f"pk = {self.value('S') if self.wrong() else self.given(self.keys[0]['pk'])}"
        sort = self.any_of(
            lambda: f"sk {self.rng.choice(_COMPARATORS)} {self.value('N')}",
            lambda: f"sk BETWEEN {self.value('N')} AND {self.value('N')}",
            lambda: f"begins_with(sk, {self.value('N', 'S')})",
            lambda: f"{self.value('N')} < sk",
            lambda: self.predicate() if self.wrong(0.3) else f"sk > {self.value('N')}",
        )
        return self.rng.choice(
            (partition, f"{partition} AND {sort}", f"{partition} AND {sort}", f"{sort} AND {partition}")
        )

    def given(self, value: Request) -> str:
        """A placeholder for this very value."""
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


def nested(depth: int, kind: str) -> Request:
    """A value so many levels deep."""
    value: Request = {"N": "1"}
    for _ in range(depth):
        value = {"L": [value]} if kind == "L" else {"M": {"a": value}}
    return value
