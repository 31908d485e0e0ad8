"""Tries mutants in forks of one pytest process, which has all modules and tests: see .ci/mutants.

A mutant of a function replaces the function's code in the fork, and runs the tests that call it, the fastest
first. What runs while a module is imported (constants, tables ...) takes a process of its own, with all
tests.
"""

import ast
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from django.db import connections

PLAN = Path("mutants.json")  # options, and the mutants: path, line, operator, diff, source
COSTS = Path("costs.json")  # by test: seconds of work, the functions that it calls, whether it fails
WORK, TIME = 120, 900  # seconds of CPU and of the clock: a mutant that never ends counts as noticed
NOT_BY_FORK = 3
called: set[tuple[str, int]] = set()  # by the test that runs: functions, by file and first line


def pytest_collection_modifyitems(items: list) -> None:
    if COSTS.exists():
        costs = json.loads(COSTS.read_text())
        items[:] = [item for item in items if item.nodeid in costs]
        items.sort(key=lambda item: costs[item.nodeid][0])


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session) -> bool | None:
    if COSTS.exists():
        return None  # a mutant in a process of its own
    plan = json.loads(PLAN.read_text())
    make_database(session)
    if in_fork(lambda: measure(session, {mutant["path"] for mutant in plan["mutants"]})):
        session.shouldfail = "The tests could not be measured."
        return True
    costs = json.loads(COSTS.read_text())
    failing = [test for test, (_seconds, _called, failed) in costs.items() if failed]
    slow = [test for test, (seconds, _called, _failed) in costs.items() if seconds > plan["longest"]]
    costs = {test: cost for test, cost in costs.items() if test not in (*slow, *failing)}
    COSTS.write_text(json.dumps(costs))
    pytest_collection_modifyitems(session.items)
    say(session, f"{len(costs)} tests; {len(slow)} that take more than {plan['longest']} s are left out")
    if failing:
        say(session, f"These fail without a mutant, and are left out: {' '.join(failing)}")
    try_mutants(session, plan, costs)
    if in_fork(lambda: run(session, session.items)):
        session.shouldfail = "The tests fail without a mutant now: one has spoilt the database."
    return True


def make_database(session) -> None:
    """Once for all forks: a test is run that needs it. No connection is open when they begin."""
    with_database = next(item for item in session.items if item.get_closest_marker("django_db"))
    with_database.config.hook.pytest_runtest_protocol(item=with_database, nextitem=session)
    connections.close_all()


def in_fork(work) -> int:
    """Returns what `work` returns, or a negative number where the fork was killed."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        status = work()
    finally:
        os._exit(status)


def run(session, items: list) -> int:
    """Runs tests until one fails. Returns how many failed."""
    plugins = session.config.pluginmanager
    if plugins.has_plugin("terminalreporter"):
        plugins.unregister(name="terminalreporter")
    session.testsfailed = 0
    for item, following in zip(items, [*items[1:], session], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            break
    return min(session.testsfailed, 1)


def measure(session, paths: set[str]) -> int:
    """Notes what each test costs, and which functions of `paths` it calls."""
    codes = {}
    for path in paths:
        code, tree = compiled(path), Noting(path).visit(ast.parse(Path(path).read_text()))
        noting = compile(ast.fix_missing_locations(tree), code.co_filename, "exec")
        codes |= dict(zip(functions_of(code), functions_of(noting), strict=True))
    replace_code(codes)
    costs = {}
    for item in session.items:
        called.clear()
        start = time.process_time()
        failed = run(session, [item])
        costs[item.nodeid] = time.process_time() - start, sorted(called), failed
    COSTS.write_text(json.dumps(costs))
    return 0


class Noting(ast.NodeTransformer):
    """Has each function note that it is called."""

    def __init__(self, path: str):
        self.path = path

    def _note(self, node: ast.FunctionDef | ast.Lambda) -> ast.Expr:
        line = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        return ast.parse(f"__import__('mutants_in_forks').called.add(('{self.path}', {line}))").body[0]

    def visit_FunctionDef(self, node):  # noqa: N802
        self.generic_visit(node)
        node.body.insert(int(ast.get_docstring(node) is not None), self._note(node))
        return node

    def visit_Lambda(self, node):  # noqa: N802
        self.generic_visit(node)
        node.body = ast.BoolOp(ast.Or(), [self._note(node).value, node.body])
        return node


def compiled(path: str, source: str | None = None) -> CodeType:
    return compile(source or Path(path).read_text(), str(Path(path).resolve()), "exec")


def is_function(code: CodeType) -> bool:
    """Also a lambda; no body of a class, and no comprehension."""
    return bool(code.co_flags & CO_OPTIMIZED) and (code.co_name[0] != "<" or code.co_name == "<lambda>")


def functions_of(code: CodeType) -> Iterator[CodeType]:
    """The outermost ones."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from [part] if is_function(part) else functions_of(part)


def try_mutants(session, plan: dict, costs: dict) -> None:
    end, tried, noticed = time.monotonic() + 60 * plan["minutes"], 0, 0
    for mutant in plan["mutants"]:
        if time.monotonic() > end:
            break
        is_noticed = tests_fail(session, mutant, costs, plan["command"])
        tried, noticed = tried + 1, noticed + is_noticed
        if tried % 50 == 0:
            say(session, f"{tried} tried")
        if not is_noticed:
            say(
                session,
                f"\nNot noticed: {mutant['path']}:{mutant['line']} {mutant['operator']}\n{mutant['diff']}",
            )
    say(
        session, f"\n{len(plan['mutants'])} mutants, {tried} tried, {noticed} noticed, {tried - noticed} not."
    )


def say(session, text: str) -> None:
    writer = session.config.get_terminal_writer()
    writer.line(text)
    writer.flush()


def tests_fail(session, mutant: dict, costs: dict, command: list[str]) -> bool:
    path = mutant["path"]
    changed = changed_functions(compiled(path), compiled(path, mutant["source"]))
    if changed is not None:
        names = [[path, old.co_firstlineno] for old in changed]
        chosen = [item for item in session.items if any(name in costs[item.nodeid][1] for name in names)]
        status = in_fork(lambda: run_mutant(session, changed, chosen))
        if status != NOT_BY_FORK:
            return status != 0
    before = Path(path).read_text()
    Path(path).write_text(mutant["source"])
    try:
        nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(command, **nowhere, preexec_fn=limit_work).returncode != 0
    finally:
        Path(path).write_text(before)


def run_mutant(session, changed: dict[CodeType, CodeType], chosen: list) -> int:
    limit_work()
    try:
        replace_code(changed)
    except ValueError:  # it has other variables of the function outside
        return NOT_BY_FORK
    return run(session, chosen)


def limit_work() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (WORK, WORK))
    signal.alarm(TIME)


def changed_functions(old: CodeType, new: CodeType) -> dict[CodeType, CodeType] | None:
    """The outermost functions that differ. None where something outside of functions does."""
    is_same = old.co_code == new.co_code and old.co_names == new.co_names
    if not is_same or len(old.co_consts) != len(new.co_consts):
        return None
    changed = {}
    for before, after in zip(old.co_consts, new.co_consts, strict=True):
        if before == after and type(before) is type(after):
            continue
        if not isinstance(before, CodeType) or not isinstance(after, CodeType):
            return None
        if (before.co_name, before.co_firstlineno) != (after.co_name, after.co_firstlineno):
            return None
        inner = {before: after} if is_function(before) else changed_functions(before, after)
        if inner is None:
            return None
        changed |= inner
    return changed


def replace_code(codes: dict[CodeType, CodeType]) -> None:
    files = {code.co_filename for code in codes}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__.co_filename in files:
            function.__code__ = codes.get(function.__code__, function.__code__)
