"""What a person can tune: declared with `param`, and spelled out by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Self, TypeVar

import param

from engine.errors import BadSetting

T = TypeVar("T", bound=param.Parameterized)


class Pairs(param.List):  # type: ignore[type-arg]  # only its stub takes some
    """A parameter whose values are lists of pairs of integers."""

    def __init__(self, default: Any = (), **declared: Any) -> None:
        super().__init__(list(default), item_type=tuple, **declared)


class Levels(Pairs):
    """A parameter whose values are lists of channels, each with a number."""


class Tuned(param.Parameterized):
    """Parameters, from which requests, answers and widgets follow.

    Those that are declared ``constant`` are set when it is made; the others may also be `changed` later.
    """

    @property
    def settings(self) -> dict[str, Any]:
        """By name, as they are set."""
        return {name: value for name, value in self.param.values().items() if name != "name"}

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """Names of those that are set once."""
        return tuple(name for name in cls.param if name != "name" and cls.param[name].constant)

    def changed(self, given: Mapping[str, Any]) -> Self:
        """The same with other values of some.

        Raises
        ------
        BadSetting
            If one is unknown, constant or out of bounds.
        """
        constants, settings = self.constants(), self.settings
        for name in given:
            if name in constants:
                others = ", ".join(each for each in settings if each not in constants)
                raise BadSetting(f"{name} is set once, at the beginning. Change {others}.")
        return made(type(self), {**settings, **given})


def made(kind: type[T], given: Mapping[str, Any], make: Callable[..., T] | None = None) -> T:
    """Parameters of a kind, if they are known and within bounds, else `BadSetting`."""
    known = [name for name in kind.param if name != "name"]
    for name in given:
        if name not in known:
            raise BadSetting(f"Unknown setting {name[:80]!r}. There are {', '.join(known)}.")
        if isinstance(kind.param[name], param.Range):
            _check_range(kind.param[name], given[name])
    try:
        return (make or kind)(**given)
    except (TypeError, ValueError) as error:
        raise BadSetting(str(error)) from None


def _check_range(declared: Any, given: Any) -> None:
    lowest, highest = declared.bounds
    try:
        low, high = map(float, given)
    except (TypeError, ValueError):
        return  # `param` says what it is not
    if not lowest <= low <= high <= highest:
        raise BadSetting(
            f"{declared.name} is a least and a greatest value within {lowest:g} and {highest:g}, "
            f"not {low:g} and {high:g}."
        )


def once(name: str, listed: Iterable[Hashable], most: int | None = None) -> None:
    """See that a list names nothing twice, and no more than may be.

    Raises
    ------
    BadSetting
    """
    values = list(listed)
    if len(set(values)) < len(values):
        raise BadSetting(f"{name} has something twice. Name each once.")
    if most is not None and len(values) > most:
        raise BadSetting(f"{name} has {len(values)} entries, and there are at most {most}.")


def spelled(value: Any) -> str:
    """A value as notes have it: ``4.5``, ``on``, ``3,7``, ``4-5``, ``8:-52.5``, ``none``."""
    match value:
        case bool():
            return "on" if value else "off"
        case list():
            return ",".join(map(spelled, value)) or "none"
        case (int(channel), float(level)):
            return f"{channel}:{level:g}"
        case tuple():
            return "-".join(map(spelled, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
