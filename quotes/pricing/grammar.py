"""The language of rules: a text becomes a tree, or is refused with the place of its error and what was expected there."""

from functools import cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from stores.refusals import Path, Refused

Node = Tree[Token]

LONGEST = 2_000
DEEPEST = 100
_ECHOED = 40

GRAMMAR = r"""
    ?expression: either
               | either "?" expression ":" expression -> choice
    ?either: both
           | either (OR | OR_SIGN) both -> either
    ?both: negation
         | both (AND | AND_SIGN) negation -> both
    ?negation: comparison
             | NOT negation -> negation
    ?comparison: span
               | span (EQUAL | UNEQUAL | LESS | MORE | AT_MOST | AT_LEAST) span -> compared
               | span IN span -> inside
               | span NOT IN span -> outside
    ?span: sum
         | sum RANGE sum -> span
    ?sum: product
        | sum (PLUS | MINUS) product -> arithmetic
    ?product: power
            | product (TIMES | OVER | MODULO) power -> arithmetic
    ?power: unary
          | unary POWER power -> arithmetic
    ?unary: atom
          | MINUS unary -> negative
          | PLUS unary -> positive
          | NOT_SIGN unary -> negation
    ?atom: NUMBER -> number
         | STRING -> text
         | TRUE -> true
         | FALSE -> false
         | NULL -> null
         | NAME -> name
         | NAME "." NAME -> member
         | NAME "." NAME "(" [arguments] ")" -> method
         | NAME "(" [arguments] ")" -> call
         | "[" [arguments] "]" -> list
         | "(" expression ")"
    arguments: expression ("," expression)*

    ?comparing: (EQUAL | UNEQUAL | LESS | MORE | AT_MOST | AT_LEAST) span -> compared
              | IN span -> inside
              | NOT IN span -> outside

    OR: "or"
    OR_SIGN: "||"
    AND: "and"
    AND_SIGN: "&&"
    NOT: "not"
    NOT_SIGN: "!"
    IN: "in"
    TRUE: "true"
    FALSE: "false"
    NULL: "null"
    EQUAL: "==="
         | "=="
    UNEQUAL: "!=="
           | "!="
    LESS: "<"
    MORE: ">"
    AT_MOST: "<="
    AT_LEAST: ">="
    RANGE: ".."
    PLUS: "+"
    MINUS: "-"
    TIMES: "*"
    OVER: "/"
    MODULO: "%"
    POWER: "**"
    NUMBER: /[0-9]{1,15}(\.[0-9]{1,9})?(?![0-9A-Za-z_])/
    STRING: /"([^"\\]|\\.)*"|'([^'\\]|\\.)*'/s
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    %ignore /[ \t\r\n]+/
"""

VALUES = frozenset(["NUMBER", "STRING", "TRUE", "FALSE", "NULL", "NAME", "LPAR", "LSQB", "MINUS", "PLUS", "NOT", "NOT_SIGN"])
COMPARISONS = frozenset(["EQUAL", "UNEQUAL", "LESS", "MORE", "AT_MOST", "AT_LEAST", "IN"])
OPERATORS = frozenset(["OR", "OR_SIGN", "AND", "AND_SIGN", "TIMES", "OVER", "MODULO", "POWER", "RANGE", "QMARK"])
WORDS = {"$END": "the end", "RPAR": "“)”", "LPAR": "“(”", "COMMA": "“,”", "RSQB": "“]”", "DOT": "“.”", "COLON": "“:”", "NAME": "a name"}


class BadRule(Refused):
    """A rule that cannot be understood; `line` and `column` count from 1, `expected` says in words what could stand there."""

    code = "bad_rule"

    def __init__(self, message: str, *, problem: str = "", line: int = 1, column: int = 1, expected: str = "", path: Path = ()) -> None:
        super().__init__(message, path=path)
        self.problem, self.line, self.column, self.expected = problem or message, line, column, expected


def refusal(problem: str, *, line: int = 1, column: int = 1, expected: str = "") -> BadRule:
    """A refusal that names its place."""
    wanted = f"; expected {expected}" if expected else ""
    message = f"Line {line}, column {column}: {problem}{wanted}."
    return BadRule(message, problem=problem, line=line, column=column, expected=expected)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", start=["expression", "comparing"], propagate_positions=True)


def parse(text: str, *, start: str = "expression") -> Node:
    """The tree of a rule, or with `start="comparing"` of the right half of a comparison; raises `BadRule`."""
    if len(text) > LONGEST:
        raise refusal(f"longer than {LONGEST} characters")
    try:
        tree = _parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise _explained(error, text, start) from None
    if _depth(tree) > DEEPEST:
        raise refusal(f"nested deeper than {DEEPEST} levels")
    return tree


def bad(problem: str, node: Node | Token, *, expected: str = "") -> BadRule:
    """A refusal at the place of a node."""
    place: Any = node if isinstance(node, Token) else node.meta
    return refusal(problem, line=getattr(place, "line", None) or 1, column=getattr(place, "column", None) or 1, expected=expected)


def literal(token: Token) -> str:
    """The text between the quotes of a STRING."""
    return _unescaped(str(token)[1:-1])


def expressed(node: Node | Token) -> dict[str, Any]:
    """A tree as nested objects of `nodes` and `attributes`, as editors of rules read it."""
    if isinstance(node, Token):
        return {"nodes": [], "attributes": {"value": str(node)}}
    tokens = [child for child in node.children if isinstance(child, Token)]
    inner = [expressed(child) for child in node.children if isinstance(child, Tree)]
    match str(node.data):
        case "number":
            return {"nodes": [], "attributes": {"value": number(tokens[0])}}
        case "text":
            return {"nodes": [], "attributes": {"value": literal(tokens[0])}}
        case "true" | "false" | "null" as word:
            return {"nodes": [], "attributes": {"value": {"true": True, "false": False, "null": None}[word]}}
        case "name":
            return {"nodes": [], "attributes": {"name": str(tokens[0])}}
        case "member":
            return {"nodes": {"node": _named(tokens[0])}, "attributes": {"name": str(tokens[1])}}
        case "method":
            return {"nodes": {"node": _named(tokens[0]), "arguments": inner}, "attributes": {"name": str(tokens[1])}}
        case "call":
            return {"nodes": {"arguments": inner[0]["nodes"] if inner else []}, "attributes": {"name": str(tokens[0])}}
        case "choice":
            return {"nodes": dict(zip(("expr1", "expr2", "expr3"), inner, strict=True)), "attributes": {}}
        case "negation" | "negative" | "positive":
            return {"nodes": {"node": inner[0]}, "attributes": {"operator": str(tokens[0])}}
        case "list" | "arguments":
            return {"nodes": inner, "attributes": {}}
    operator = " ".join(str(token) for token in tokens)
    return {"nodes": dict(zip(("left", "right"), inner, strict=False)), "attributes": {"operator": operator}}


def number(token: Token) -> int | float:
    """The value of a NUMBER."""
    return float(token) if "." in token else int(token)


def _named(token: Token) -> dict[str, Any]:
    return {"nodes": [], "attributes": {"name": str(token)}}


def _unescaped(text: str) -> str:
    plain, escaped = [], False
    for letter in text:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        plain.append(letter)
        escaped = False
    return "".join(plain)


def _depth(tree: Node) -> int:
    """How deep a tree goes, without going down by calls: it may be deeper than those can."""
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in node.children if isinstance(child, Tree)]
    return deepest


def _explained(error: UnexpectedInput, text: str, start: str) -> BadRule:
    ended = isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END")
    if ended:
        lines = text.split("\n")
        line, column = len(lines), len(lines[-1]) + 1
    else:
        line, column = max(error.line, 1), max(error.column, 1)
    match error:
        case UnexpectedToken() if not ended:
            problem = f"“{str(error.token)[:_ECHOED]}” does not belong here"
        case UnexpectedCharacters():
            problem = f"“{error.char}” does not belong here"
        case _:
            problem = "the rule ends too early" if text.strip() else "the rule is empty"
    return refusal(problem, line=line, column=column, expected=_listed(_allowed(error, text, start)))


def _allowed(error: UnexpectedInput, text: str, start: str) -> set[str]:
    """What could stand where the error is. A mark that is right somewhere else leaves that to be asked for."""
    told = getattr(error, "accepts", None) or getattr(error, "expected", None) or getattr(error, "allowed", None)
    if told or error.pos_in_stream is None:
        return set(told or ())
    asked = _parser().parse_interactive(text[: error.pos_in_stream], start=start)
    asked.exhaust_lexer()
    return set(asked.accepts())


def _listed(terminals: set[str]) -> str:
    """Names of terminals in words, the many that begin a value or join two in one word each."""
    begins = {"NUMBER", "STRING"} <= terminals
    words = ["a value"] if begins else []
    left = terminals - VALUES if begins else terminals
    if COMPARISONS & left:
        words.append("a comparison")
    if OPERATORS & left:
        words.append("an operator")
    words += sorted(WORDS[name] for name in left if name in WORDS)
    return " or ".join(words)
