"""Finds every remedy of the product in its source, with nothing run.

A remedy is what is handed to a parameter, or to a field of a dataclass, that is called ``remedy``: of an
error, of a finding of doctor, of a warning. What is handed over is followed to the texts that it may be:
through variables, tables, functions and tuples of cause and remedy. Whatever cannot be followed is an error,
so that no remedy hides.
"""

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.remedies.source import Function, Scope, Source, parameters, returns

_REMEDY = "remedy"
_ERROR = "CredentialError"
_MANY = 16  # texts that a hole of a text may have before it stays a hole
RELAYED = {
    ("credhelpers/cli/shared/helper_programs.py", "ours[-1]"): "what a helper of ours has said on stderr",
    ("credhelpers/cli/migrate/command.py", "lines[-1]"): "what a helper of ours has said on stderr",
    ("credhelpers/stores/tokens/cache.py", "remedy"): "the remedy of an error that was remembered on disk",
}
"""Expressions for remedies that were collected where they come from."""


@dataclass(frozen=True, order=True)
class Remedy:
    """One text.

    Attributes:
        path: The file that it stands in.
        text: With ``{}`` for what is known only when it is told.
    """

    path: str
    text: str


class CannotFollow(Exception):
    """An expression that may be a remedy, and of which the source does not tell what it is."""


def collect(source: Source, relayed: Mapping[tuple[str, str], str] = RELAYED) -> dict[Remedy, list[str]]:
    """Return every remedy, and the places (``file:line``) at which it is handed over.

    Args:
        source: The package.
        relayed: The expressions, by file, that are left out, and why.

    Raises:
        CannotFollow: A remedy is none of a shape that can be followed; or one that is left out is not there.
    """
    found: dict[Remedy, list[str]] = {}
    collector = _Collector(source, relayed)
    for place, remedy in collector.remedies():
        if remedy.text:
            found.setdefault(remedy, []).append(place)
    gone = relayed.keys() - collector.left_out
    if gone:
        raise CannotFollow(f"these are no longer in the source: {sorted(gone)}")
    return found


class _Collector:
    def __init__(self, source: Source, relayed: Mapping[tuple[str, str], str]) -> None:
        self._source = source
        self._errors = self._family()
        self._busy: set[ast.AST] = set()
        self._relayed = relayed
        self.left_out: set[tuple[str, str]] = set()

    def remedies(self) -> Iterator[tuple[str, Remedy]]:
        """Give every remedy, and the place at which it is handed over."""
        yield from self._defaults()
        for module in self._source.modules.values():
            for call, scope in module.calls():
                for value, where in self._handed_over(call, scope):
                    place = f"{module.path}:{call.lineno}"
                    try:
                        for path, text in sorted(self._texts(value, where)):
                            yield place, Remedy(path, text)
                    except CannotFollow as error:
                        raise CannotFollow(f"{place}: {error}") from None

    def _defaults(self) -> Iterator[tuple[str, Remedy]]:
        """Give the remedies that functions have when they are handed none."""
        for module in self._source.modules.values():
            for node, scope in module.scopes.items():
                default = _default(node, _REMEDY) if isinstance(node, Function) else None
                if default is not None:
                    for path, text in self._texts(default, scope):
                        yield f"{module.path}:{default.lineno}", Remedy(path, text)

    def _family(self) -> set[str]:
        names = {_ERROR}
        classes = [owner for module in self._source.modules.values() for owner in module.classes.values()]
        while True:
            found = {
                owner.name
                for owner in classes
                if any(isinstance(base, ast.Name) and base.id in names for base in owner.bases)
            }
            if found <= names:
                return names
            names |= found

    def _handed_over(self, call: ast.Call, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give what a call hands to a parameter that is called remedy."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in self._errors:
            names = ["cause", _REMEDY]
        elif name and (fields := self._fields(scope, name)):
            names = fields
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
            return  # of the class above, which is an error itself
        else:
            takers = [
                names for _, f in self._source.called(call, scope) if _REMEDY in (names := parameters(f))
            ]
            if not takers:
                return
            names = takers[0]
        value = _argument(call, names, _REMEDY)
        if isinstance(value, ast.Starred):
            yield from self._element(value.value, names.index(_REMEDY) - call.args.index(value), scope)
        elif value is not None:
            yield value, scope

    def _fields(self, scope: Scope, name: str) -> list[str]:
        """Return the fields of a dataclass that has one called remedy."""
        where = self._source.defined(scope.module, name)
        owner = where[0].classes.get(where[1]) if where else scope.owner if name == "cls" else None
        body = owner.body if owner else []
        names = [
            node.target.id
            for node in body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        ]
        return names if _REMEDY in names else []

    # --- what an expression may be

    def _texts(self, value: ast.expr, scope: Scope) -> set[tuple[str, str]]:
        """Return the files and texts that an expression may be; none for what was a remedy elsewhere."""
        path = scope.module.path
        value = _bare(value)
        if (path, ast.unparse(value)) in self._relayed:
            self.left_out.add((path, ast.unparse(value)))
            return set()
        match value:
            case ast.Constant():
                return {(path, str(value.value))} if value.value is not None else set()
            case ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                return {(path, text) for text in self._joined(value, scope)}
            case ast.Call(func=ast.Attribute(attr="format", value=inner)):
                return {(p, re.sub(r"\{\w*\}", "{}", text)) for p, text in self._texts(inner, scope)}
        return set().union(*(self._texts(part, where) for part, where in self._ways(value, scope)))

    def _ways(self, value: ast.expr, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give the expressions of which an expression is one; none for a remedy of another error."""
        match value:
            case ast.IfExp():
                yield from ((value.body, scope), (value.orelse, scope))
            case ast.BoolOp():
                yield from ((part, scope) for part in value.values)
            case ast.Attribute(attr="remedy"):
                return
            case ast.Name() | ast.Call() | ast.Subscript() | ast.Attribute():
                yield from self._followed(value, scope)
            case _:
                raise CannotFollow(f"cannot tell what {ast.unparse(value)} may be")

    def _joined(self, value: ast.expr, scope: Scope) -> set[str]:
        """Return the texts of an f-string or a sum, with holes for what is not known."""
        match value:
            case ast.BinOp():
                parts = [value.left, value.right]
            case ast.JoinedStr():
                parts = value.values
            case ast.Constant():
                return {str(value.value)}
            case ast.FormattedValue():
                return self._hole(value.value, scope)
            case _:
                return self._hole(value, scope)
        return {"".join(texts) for texts in itertools.product(*(self._joined(part, scope) for part in parts))}

    def _hole(self, value: ast.expr, scope: Scope) -> set[str]:
        """Return the texts that a part of a text may be where the source says so, else a hole."""
        if not isinstance(
            value, ast.Name | ast.JoinedStr | ast.IfExp | ast.Constant | ast.Call | ast.Attribute
        ):
            return {"{}"}
        try:
            texts = {text for _, text in self._texts(value, scope)}
        except CannotFollow:
            return {"{}"}
        own = isinstance(value, ast.Name) and not (scope.function and value.id in parameters(scope.function))
        if not own and not all(" " in text for text in texts):
            return {"{}"}  # a name or a verb that callers hand over, not a phrase
        return texts if 0 < len(texts) <= _MANY else {"{}"}

    def _followed(self, value: ast.expr, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give the expressions that a name, a call or an element stands for."""
        if value in self._busy:
            return
        self._busy.add(value)
        try:
            match value:
                case ast.Name():
                    yield from self._named(value.id, scope)
                case ast.Call(func=ast.Attribute(attr="get", value=ast.Name() as table)):
                    yield from self._values(table, scope)
                    yield from ((default, scope) for default in value.args[1:])
                case ast.Call():
                    yield from self._returned(value, scope)
                case ast.Attribute():
                    yield from self._attribute(value, scope)
                case ast.Subscript(slice=ast.Constant(value=int() as index)):
                    yield from self._element(value.value, index, scope)
                case ast.Subscript():
                    yield from self._values(value.value, scope)
        finally:
            self._busy.discard(value)

    def _named(self, name: str, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        function = scope.function
        if function:
            found = list(self._assigned(name, function, scope))
            yield from found
            if name in parameters(function) or name in [a.arg for a in function.args.kwonlyargs]:
                if name != _REMEDY:
                    yield from self._arguments(name, function, scope)
                return
            if found:
                return
        where = self._source.defined(scope.module, name)
        if not where or where[1] not in where[0].constants:
            raise CannotFollow(f"cannot tell what {name} is")
        yield where[0].constants[where[1]], Scope(where[0])

    def _assigned(self, name: str, function: Function, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                    pass
                case ast.NamedExpr(target=target, value=value):
                    pass
                case _:
                    continue
            if isinstance(target, ast.Name) and target.id == name and value:
                yield value, scope
            elif isinstance(target, ast.Tuple) and value:
                for index, element in enumerate(target.elts):
                    if isinstance(element, ast.Name) and element.id == name:
                        yield from self._element(value, index, scope)

    def _arguments(self, name: str, function: Function, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give what the callers of a function hand to a parameter of it."""
        names = parameters(function)
        calls = self._source.callers.get(function, [])
        for call, where in calls:
            value = _argument(call, names, name)
            if value is not None:
                yield value, where
        if not calls:
            raise CannotFollow(f"nobody calls {function.name}, which is given {name}")
        default = _default(function, name)
        if default is not None:
            yield default, Scope(scope.module)

    def _returned(self, call: ast.Call, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        functions = list(self._source.called(call, scope))
        if not functions:
            raise CannotFollow(f"cannot tell what {ast.unparse(call)} returns")
        for where, function in functions:
            yield from ((value, where) for value in returns(function))

    def _attribute(self, value: ast.Attribute, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        own = isinstance(value.value, ast.Name) and value.value.id == "self"
        found = list(self._source.attributes(value.attr, scope.owner if own else None))
        if not found:
            raise CannotFollow(f"cannot tell what {ast.unparse(value)} may be")
        yield from ((part, where) for where, part in found)

    def _values(self, table: ast.expr, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give the values of a table of the module."""
        if not isinstance(table, ast.Name):
            raise CannotFollow(f"cannot tell what is in {ast.unparse(table)}")
        for value, where in self._named(table.id, scope):
            if not isinstance(value, ast.Dict):
                raise CannotFollow(f"{table.id} is not a table")
            yield from ((item, where) for item in value.values)

    def _element(self, value: ast.expr, index: int, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
        """Give what one element of a tuple may be."""
        match value:
            case ast.Tuple():
                yield value.elts[index], scope
            case ast.IfExp():
                yield from self._element(value.body, index, scope)
                yield from self._element(value.orelse, index, scope)
            case ast.Constant(value=None):
                return  # not there yet
            case ast.Name() | ast.Call() | ast.Subscript() | ast.Attribute():
                for part, where in self._followed(value, scope):
                    yield from self._element(part, index, where)
            case _:
                raise CannotFollow(f"cannot tell what the parts of {ast.unparse(value)} are")


def _bare(value: ast.expr) -> ast.expr:
    """Return an expression without what only shortens or escapes the text."""
    match value:
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="partition", value=inner))):
            return _bare(inner)
        case ast.Subscript(value=inner, slice=ast.Slice()):
            return _bare(inner)
        case ast.Call(func=ast.Name(id="one_line" | "Fix"), args=[inner]):
            return _bare(inner)
    return value


def _argument(call: ast.Call, names: list[str], name: str) -> ast.expr | None:
    """Return what a call hands to a parameter: an expression, or the starred one that has it."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if name not in names:
        return None
    index = names.index(name)
    starred = next((i for i, value in enumerate(call.args) if isinstance(value, ast.Starred)), None)
    if starred is not None and starred <= index:
        return call.args[starred]
    return call.args[index] if index < len(call.args) else None


def _default(function: Function, name: str) -> ast.expr | None:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if name not in names:
        return None
    place = names.index(name) - len(names) + len(function.args.defaults)
    return function.args.defaults[place] if place >= 0 else None
