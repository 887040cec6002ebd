"""The modules of credhelpers as syntax trees: who defines what, who imports it, who calls it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "credhelpers"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Scope:
    """Where an expression stands: its module, and the function and class around it."""

    module: "Module"
    function: Function | None = None
    owner: ast.ClassDef | None = None


@dataclass(eq=False)
class Module:
    """One file of the package.

    Attributes:
        name: Dotted, such as ``credhelpers.cli.doctor.command``.
        path: From the top of the repository.
    """

    name: str
    path: str
    tree: ast.Module
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.tree.body:
            if isinstance(node, Function):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    self._bind(target, node.value)
        for inner in ast.walk(self.tree):
            if isinstance(inner, ast.ImportFrom) and inner.module and not inner.level:
                for alias in inner.names:
                    self.imports[alias.asname or alias.name] = (inner.module, alias.name)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.constants[target.id] = value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for element, part in zip(target.elts, value.elts, strict=True):
                self._bind(element, part)

    @cached_property
    def scopes(self) -> dict[ast.AST, Scope]:
        """The scope of every node."""
        found: dict[ast.AST, Scope] = {}

        def visit(node: ast.AST, scope: Scope) -> None:
            found[node] = scope
            if isinstance(node, Function):
                scope = Scope(self, node, scope.owner)
            elif isinstance(node, ast.ClassDef):
                scope = Scope(self, None, node)
            for child in ast.iter_child_nodes(node):
                visit(child, scope)

        visit(self.tree, Scope(self))
        return found

    def calls(self) -> Iterator[tuple[ast.Call, Scope]]:
        """Give every call and where it stands."""
        for node, scope in self.scopes.items():
            if isinstance(node, ast.Call):
                yield node, scope


class Source:
    """The whole package."""

    def __init__(self, root: Path = ROOT) -> None:
        self.modules: dict[str, Module] = {}
        for path in sorted((root / PACKAGE).rglob("*.py")):
            relative = path.relative_to(root)
            name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
            self.modules[name] = Module(name, str(relative), ast.parse(path.read_text()))

    def defined(self, module: Module, name: str) -> tuple[Module, str] | None:
        """Return where a global name of a module is defined, following imports; None outside the package."""
        if name in {**module.functions, **module.classes, **module.constants}:
            return module, name
        if name in module.imports:
            origin, original = module.imports[name]
            if origin in self.modules:
                return self.defined(self.modules[origin], original)
        return None

    @cached_property
    def callers(self) -> dict[Function, list[tuple[ast.Call, Scope]]]:
        """The calls that each function of the package may get."""
        found: dict[Function, list[tuple[ast.Call, Scope]]] = {}
        for module in self.modules.values():
            for call, scope in module.calls():
                for _, function in self.called(call, scope):
                    found.setdefault(function, []).append((call, scope))
        return found

    @cached_property
    def _methods(self) -> dict[str, list[tuple[Scope, Function]]]:
        found: dict[str, list[tuple[Scope, Function]]] = {}
        for module in self.modules.values():
            for owner in module.classes.values():
                for node in owner.body:
                    if isinstance(node, Function):
                        found.setdefault(node.name, []).append((Scope(module, node, owner), node))
        return found

    @cached_property
    def _assignments(self) -> dict[str, list[tuple[Scope, ast.expr]]]:
        found: dict[str, list[tuple[Scope, ast.expr]]] = {}
        for module in self.modules.values():
            for node, scope in module.scopes.items():
                for target in node.targets if isinstance(node, ast.Assign) else []:
                    if isinstance(target, ast.Attribute) and isinstance(node, ast.Assign):
                        found.setdefault(target.attr, []).append((scope, node.value))
        return found

    def methods(self, name: str) -> list[tuple[Scope, Function]]:
        """Return every method of a name, whatever its class: the tree does not tell the type of an object."""
        return self._methods.get(name, [])

    def called(self, call: ast.Call, scope: Scope) -> Iterator[tuple[Scope, Function]]:
        """Give the functions of the package that a call may mean."""
        yield from self._meant(call.func, scope)

    def _meant(self, name: ast.expr, scope: Scope) -> Iterator[tuple[Scope, Function]]:
        match name:
            case ast.Name():
                yield from self._named(name.id, scope)
            case ast.Attribute(value=ast.Name(id=module)) if module in scope.module.imports:
                origin = ".".join(scope.module.imports[module])
                function = self.modules[origin].functions.get(name.attr) if origin in self.modules else None
                if function:
                    yield Scope(self.modules[origin], function), function
            case ast.Attribute():
                owner = self._type(name.value, scope)
                yield from (found for found in self.methods(name.attr) if owner in (None, found[0].owner))

    def _type(self, value: ast.expr, scope: Scope) -> ast.ClassDef | None:
        """Return the class of an object where the expression itself tells it."""
        match value:
            case ast.Name(id="self" | "cls"):
                return scope.owner
            case ast.Call(func=ast.Name(id=name)):
                module, name = self.defined(scope.module, name) or (scope.module, name)
                return module.classes.get(name)
        return None

    def _named(self, name: str, scope: Scope) -> Iterator[tuple[Scope, Function]]:
        module, name = self.defined(scope.module, name) or (scope.module, name)
        if name in module.functions:
            yield Scope(module, module.functions[name]), module.functions[name]
        elif name in module.classes:
            owner = module.classes[name]
            yield from (found for found in self.methods("__init__") if found[0].owner is owner)
        elif scope.function:
            for value in _looped_over(name, scope.function):
                yield from self._meant(value, scope)

    def attributes(self, name: str, owner: ast.ClassDef | None) -> Iterator[tuple[Scope, ast.expr]]:
        """Give what is assigned to an attribute of a class, or of any class when none is named."""
        for scope, value in self._assignments.get(name, []):
            if owner in (None, scope.owner):
                yield scope, value
        for found, function in self.methods(name):
            if owner in (None, found.owner) and function.decorator_list:
                yield from (
                    (Scope(found.module, function, found.owner), value) for value in returns(function)
                )


def _looped_over(name: str, function: Function) -> Iterator[ast.expr]:
    """Give what a variable of a loop over a table in the same function may be."""
    tables = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        match node:
            case ast.For(target=ast.Tuple(elts=names), iter=ast.Name(id=table)) if table in tables:
                for row in getattr(tables[table], "elts", []):
                    for variable, value in zip(names, getattr(row, "elts", []), strict=False):
                        if isinstance(variable, ast.Name) and variable.id == name:
                            yield value


def parameters(function: Function) -> list[str]:
    """Return the names of a function's parameters, without ``self``."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def returns(function: Function) -> Iterator[ast.expr]:
    """Give what a function returns or yields, without what the functions inside it do."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        if isinstance(node, ast.Return | ast.Yield) and node.value:
            yield node.value
        waiting += ast.iter_child_nodes(node)
