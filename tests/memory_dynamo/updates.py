"""Parser of UpdateExpression: text to a list of assignments, removals, additions and deletions."""

from __future__ import annotations

from dataclasses import dataclass

from tests.memory_dynamo.syntax import Call, Operand, Parser, Path, Sum, Value

CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


@dataclass(frozen=True)
class Assign:
    path: Path
    operand: Operand


@dataclass(frozen=True)
class Remove:
    path: Path


@dataclass(frozen=True)
class Add:
    path: Path
    value: Value


@dataclass(frozen=True)
class Delete:
    path: Path
    value: Value


Action = Assign | Remove | Add | Delete


def parse_update(parser: Parser) -> list[Action]:
    """The whole expression, its paths checked against each other. Raises InvalidError."""
    actions: list[Action] = []
    seen: set[str] = set()
    while True:
        clause = parser.next.text.upper() if parser.next.kind == "word" else ""
        if clause not in CLAUSES:
            parser.syntax_error()
        if clause in seen:
            parser.refuse(f'The "{clause}" section can only be used once in an update expression;')
        seen.add(clause)
        parser.take()
        actions += parser.separated(lambda clause=clause: _action(parser, clause))  # type: ignore[misc]
        if parser.next.kind == "end":
            break
    parser.check_overlaps([action.path for action in actions])
    return actions


def _action(parser: Parser, clause: str) -> Action:
    path = parser.path()
    if clause == "REMOVE":
        return Remove(path)
    if clause == "SET":
        parser.expect("=")
        return Assign(path, _sum(parser))
    if len(path.parts) > 1:
        # The engine may take it, but the Developer Guide allows top-level attributes only, so this model does too.
        parser.refuse(f"{clause} can only be used on top-level attributes, not on {path}")
    return Add(path, parser.value()) if clause == "ADD" else Delete(path, parser.value())


def _sum(parser: Parser) -> Operand:
    start = parser.at
    if parser.accept("("):
        left = _sum(parser)
        parser.expect(")")
        parser.refuse_doubled(start)
        if isinstance(left, Sum):
            return left
    else:
        left = _operand(parser)
    sign = 1 if parser.accept("+") else -1 if parser.accept("-") else 0
    if not sign:
        return left
    right = _operand(parser)
    _refuse_joined(parser, left, right)
    return Sum(left, right, sign)


def _refuse_joined(parser: Parser, *operands: Operand) -> None:
    if any(isinstance(operand, Call) and operand.name == "list_append" for operand in operands):
        parser.refuse("The function is not allowed to be used this way in an expression; function: list_append")


def _operand(parser: Parser) -> Operand:
    start = parser.at
    if parser.accept("("):
        inner = _operand(parser)
        parser.expect(")")
        parser.refuse_doubled(start)
        return inner
    if parser.next.kind == "value":
        return parser.value()
    return _call(parser) if parser.at_call() else parser.path()


def _call(parser: Parser) -> Call:
    name = parser.next.text
    if name in ("size", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"):
        parser.refuse(f"The function is not allowed in an update expression; function: {name}")
    if name not in ("if_not_exists", "list_append"):
        parser.refuse(f"Invalid function name; function: {name}")
    call = parser.call(lambda: _operand(parser))
    parser.check_count(call, 2)
    _refuse_joined(parser, *call.arguments)
    first, *rest = call.arguments
    if name == "if_not_exists":
        if not isinstance(first, Path):
            parser.refuse("Operator or function requires a document path; operator or function: if_not_exists")
        parser.check_distinct(name, first, tuple(rest))
    return call
