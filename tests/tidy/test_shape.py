"""The house style, as far as a program can check it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "cryptotrader"
MODULES = sorted(SOURCE.rglob("*.py"))

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 70
MAX_PARAMETERS = 5
MAX_POSITIONAL = 2
MAX_MODULES_IN_A_FOLDER = 14

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _functions(tree: ast.Module) -> Iterator[tuple[Function, bool]]:
    """Every function, and whether it is a method."""
    methods = {
        id(item)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, Function)
    }
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node, id(node) in methods


def _documented(node: ast.Module | ast.ClassDef | Function) -> bool:
    return bool(ast.get_docstring(node))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_keeps_to_the_house_style(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    faults: list[str] = []
    if text.count("\n") > MAX_MODULE_LINES:
        faults.append(f"{text.count(chr(10))} lines")
    if not _documented(tree):
        faults.append("no docstring")
    for function, is_method in _functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            faults.append(f"{function.name}: {length} lines")
        positional = [*function.args.posonlyargs, *function.args.args][1 if is_method else 0 :]
        # A constructor takes what it needs, and a command of the command line has one parameter per flag.
        is_exempt = function.name == "__init__" or path.parent.name == "cli"
        if len(positional) + len(function.args.kwonlyargs) > MAX_PARAMETERS and not is_exempt:
            faults.append(f"{function.name}: {len(positional) + len(function.args.kwonlyargs)} parameters")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _documented(node):
            faults.append(f"class {node.name} has no docstring")
        if isinstance(node, ast.ExceptHandler) and path.name != "supervise.py":
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"all"}
            if caught & {"Exception", "BaseException", "all"}:
                faults.append(f"line {node.lineno} catches everything")
        if path.name != "supervise.py" and _starts_task(node):
            faults.append("starts a task that nobody supervises")
    assert not faults


def _starts_task(node: ast.AST) -> bool:
    """``create_task`` of anything but a TaskGroup, which is named ``group`` here."""
    if not isinstance(node, ast.Attribute) or node.attr not in {"create_task", "ensure_future"}:
        return False
    return not (isinstance(node.value, ast.Name) and node.value.id == "group")


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=_name)
def test_s4_3_an_init_only_exports(path: Path) -> None:
    body = ast.parse(path.read_text("utf-8")).body
    assert not [type(node).__name__ for node in body if isinstance(node, Function | ast.ClassDef)]


def test_a_folder_holds_about_a_dozen_modules() -> None:
    counts = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    full = {_name(folder): count for folder, count in counts.items() if count > MAX_MODULES_IN_A_FOLDER}
    assert not full


def test_the_median_module_is_short() -> None:
    lengths = sorted(len(path.read_text("utf-8").splitlines()) for path in MODULES if path.name != "__init__.py")
    assert lengths[len(lengths) // 2] <= 200


def test_no_test_directory_is_a_package() -> None:
    """Two tests of the same name in different folders must not shadow each other."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
