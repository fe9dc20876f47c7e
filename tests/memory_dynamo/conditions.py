"""Parser of ConditionExpression, FilterExpression and KeyConditionExpression: text to a tree."""

from __future__ import annotations

from dataclasses import dataclass

from tests.memory_dynamo.syntax import Call, Operand, Parser, Path

COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_TESTS = {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2}
_ON_ANY_OPERAND = ("begins_with", "contains")
_UPDATE_FUNCTIONS = ("if_not_exists", "list_append")
_KEYWORDS = ("AND", "OR", "NOT", "BETWEEN", "IN")
_MAX_LISTED = 100


@dataclass(frozen=True)
class Compare:
    symbol: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Between:
    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True)
class In:
    operand: Operand
    listed: tuple[Operand, ...]


@dataclass(frozen=True)
class Predicate:
    """One of the functions that are conditions by themselves (attribute_exists, begins_with, ...)."""

    call: Call


@dataclass(frozen=True)
class Not:
    inner: Condition


@dataclass(frozen=True)
class Every:
    terms: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    terms: tuple[Condition, ...]


Condition = Compare | Between | In | Predicate | Not | Every | Either


def parse_condition(parser: Parser) -> Condition:
    """The whole expression. Raises InvalidError in the words of the parser's kind."""
    condition = _either(parser)
    parser.end()
    return condition


def _either(parser: Parser) -> Condition:
    terms = [_every(parser)]
    while parser.accept_keyword("OR"):
        terms.append(_every(parser))
    return terms[0] if len(terms) == 1 else Either(tuple(terms))


def _every(parser: Parser) -> Condition:
    terms = [_negated(parser)]
    while parser.accept_keyword("AND"):
        terms.append(_negated(parser))
    return terms[0] if len(terms) == 1 else Every(tuple(terms))


def _negated(parser: Parser) -> Condition:
    if parser.accept_keyword("NOT"):
        return Not(_negated(parser))
    if parser.next.text == "(" and not _opens_operand(parser):
        return _group(parser)
    return _predicate(parser)


def _group(parser: Parser) -> Condition:
    start = parser.at
    parser.expect("(")
    inner = _either(parser)
    parser.expect(")")
    parser.refuse_doubled(start)
    return inner


def _opens_operand(parser: Parser) -> bool:
    """Whether the parenthesis ahead only wraps an operand, as in `(a) = :b`."""
    following = parser.tokens[min(parser.closing(parser.at) + 1, len(parser.tokens) - 1)]
    return following.text in COMPARATORS or following.text.upper() in ("BETWEEN", "IN")


def _predicate(parser: Parser) -> Condition:
    if parser.at_call() and parser.next.text.upper() not in _KEYWORDS and parser.next.text != "size":
        return _test(parser)
    left = _operand(parser)
    if parser.accept_keyword("BETWEEN"):
        low = _operand(parser)
        parser.expect_keyword("AND")
        high = _operand(parser)
        _check_distinct(parser, "BETWEEN", left, (low, high))
        return Between(left, low, high)
    if parser.accept_keyword("IN"):
        return _in(parser, left)
    return _compare(parser, left)


def _compare(parser: Parser, left: Operand) -> Condition:
    symbol = parser.next.text
    if parser.next.kind != "symbol" or symbol not in COMPARATORS:
        if isinstance(left, Call):
            parser.refuse(f"The function is not allowed to be used this way in an expression; function: {left.name}")
        parser.syntax_error()
    parser.take()
    right = _operand(parser)
    _check_distinct(parser, symbol, left, (right,))
    return Compare(symbol, left, right)


def _in(parser: Parser, left: Operand) -> Condition:
    parser.expect("(")
    listed = tuple(parser.separated(lambda: _operand(parser)))
    parser.expect(")")
    if len(listed) > _MAX_LISTED:
        parser.refuse(f"The IN operator is provided with too many operands; number of operands: {len(listed)}")
    _check_distinct(parser, "IN", left, listed)
    return In(left, listed)


def _test(parser: Parser) -> Condition:
    name = parser.next.text
    if name in _UPDATE_FUNCTIONS:
        parser.refuse(f"The function is not allowed in a condition expression; function: {name}")
    if name not in _TESTS:
        parser.refuse(f"Invalid function name; function: {name}")
    call = parser.call(lambda: _operand(parser))
    parser.check_count(call, _TESTS[name])
    first = call.arguments[0]
    if name == "begins_with" and any(isinstance(one, Call) for one in call.arguments):
        parser.refuse(f"Incorrect operand type for operator or function; operator or function: {name}, operand type: N")
    if not isinstance(first, Path) and name not in _ON_ANY_OPERAND:
        parser.refuse(f"Operator or function requires a document path; operator or function: {name}")
    _check_distinct(parser, name, first, call.arguments[1:])
    if parser.next.text in COMPARATORS:
        parser.refuse(f"The function is not allowed to be used this way in an expression; function: {name}")
    return Predicate(call)


def _operand(parser: Parser) -> Operand:
    start = parser.at
    if parser.accept("("):
        inner = _operand(parser)
        parser.expect(")")
        parser.refuse_doubled(start)
        return inner
    if parser.next.kind == "value":
        return parser.value()
    if parser.at_call():
        return _size(parser)
    if parser.next.text.upper() in _KEYWORDS:
        parser.syntax_error()
    return parser.path()


def _size(parser: Parser) -> Call:
    name = parser.next.text
    if name in _TESTS or name in _UPDATE_FUNCTIONS:
        parser.refuse(f"The function is not allowed to be used this way in an expression; function: {name}")
    if name != "size":
        parser.refuse(f"Invalid function name; function: {name}")
    call = parser.call(lambda: _operand(parser))
    parser.check_count(call, 1)
    if isinstance(call.arguments[0], Call):
        parser.refuse("Incorrect operand type for operator or function; operator or function: size, operand type: N")
    return call


def _check_distinct(parser: Parser, name: str, first: Operand, rest: tuple[Operand, ...]) -> None:
    if isinstance(first, Path):
        parser.check_distinct(name, first, rest)
