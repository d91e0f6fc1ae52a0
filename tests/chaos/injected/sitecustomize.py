"""Read by every Python process of a shop under fire, whose PYTHONPATH has this folder: it can die at a named step.

The product knows nothing of this. What is to be changed stands in the files of the folder CHAOS_FOLDER:

- ``plan.json``: the points of all services, constants to set, and the name of a mutant (chaos.plan writes it).
- ``armed/POINT``: "PASSAGE VICTIM SIGNAL". Whoever passes the point as the PASSAGE-th claims the file by moving it to
  ``fired/``, so it strikes once, and sends the signal to VICTIM: the worker that passes, its master, or a process id.
- ``passages/POINT``: one byte for each passage; what a killed process has counted is not lost.

Only the standard library is imported here, and of the product nothing that it would not import itself.
"""

import functools
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence, Sized
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

Change = Callable[[ModuleType], None]


class _Point:
    """A named step: before or after a function, or after it only where it gave something ("result").

    A method whose first argument is an empty collection has nothing to do, which is no passage.
    """

    def __init__(self, folder: Path, name: str, when: str) -> None:
        self.when = when
        self._armed = folder / "armed" / name
        self._fired = folder / "fired" / name
        self._passages = os.open(folder / "passages" / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def passing(*args: Any, **kwargs: Any) -> Any:
            for_nothing = any(isinstance(given, Sized) and not given for given in args[1:2])
            if self.when == "before" and not for_nothing:
                self._passed()
            result = real(*args, **kwargs)
            if (self.when == "after" and not for_nothing) or (self.when == "result" and result):
                self._passed()
            return result

        return passing

    def _passed(self) -> None:
        os.write(self._passages, b".")
        try:
            passage, victim, signal_number = self._armed.read_text().split()
            if os.fstat(self._passages).st_size < int(passage):
                return
            self._armed.rename(self._fired)
        except FileNotFoundError:
            return  # not armed, or another one was first
        os.kill({"worker": os.getpid(), "master": os.getppid()}.get(victim) or int(victim), int(signal_number))


class _Finder:
    """Has the wanted modules changed as soon as they are executed; nobody sees them before."""

    def __init__(self, changes: Mapping[str, Sequence[Change]]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self._changes:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            for change in self._changes[name]:
                change(module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]  # of this one loader alone
        return spec


def replace(module: ModuleType, path: str, new: Callable[[Any], Any]) -> None:
    """Put ``new(what is there)`` where ``path`` leads: a name of the module, or of a class in it."""
    *outer, name = path.split(".")
    owner: Any = functools.reduce(getattr, outer, module)
    setattr(owner, name, new(getattr(owner, name)))


def _service() -> str:
    """Which server this process belongs to; what it starts for its migrations is told by their folder."""
    # python OPTIONS -m MODULE SERVICE-OR-FOLDER; sys.argv is not there yet
    words = [*sys.orig_argv, "-m", "", ""]
    module, argument = words[words.index("-m") + 1 :][:2]
    if module == "bazar":
        return argument
    return Path(argument).parent.name if module == "bazar.chassis.migrations" else ""


def _set_constant(name: str, value: object) -> Change:
    return lambda module: replace(module, name, lambda _: value)


def _wrap(function: str, point: _Point) -> Change:
    return lambda module: replace(module, function, point.wrap)


def _change_what_is_planned(folder: Path) -> None:
    service = _service()
    plan = json.loads((folder / "plan.json").read_text())
    changes: dict[str, list[Change]] = {}
    for module, constants in plan["constants"].items():
        changes.setdefault(module, []).extend(_set_constant(name, value) for name, value in constants.items())
    if plan["mutant"]:
        for module, change in importlib.import_module("mutants").MUTANTS[plan["mutant"]]().items():
            changes.setdefault(module, []).append(change)
    for planned in plan["points"]:
        if planned["service"] == service:
            point = _Point(folder, planned["name"], planned["when"])
            changes.setdefault(planned["module"], []).append(_wrap(planned["function"], point))
    sys.meta_path.insert(0, _Finder(changes))


if folder_name := os.environ.get("CHAOS_FOLDER"):
    _change_what_is_planned(Path(folder_name))
