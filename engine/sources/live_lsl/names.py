"""Which streams belong together, by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engine.errors import BadSetting

Role = Literal["kinematics", "intention", "events"]
ROLES: Final[tuple[Role, ...]] = ("kinematics", "intention", "events")
NEURAL: Final = "-Neural-"


@dataclass(frozen=True)
class Names:
    """The name of the neural stream, and those of its companions, none of which need be there."""

    neural: str
    kinematics: str | None = None
    intention: str | None = None
    events: str | None = None

    def of(self, role: Role) -> str | None:
        """That of a companion."""
        name: str | None = getattr(self, role)
        return name


def read_names(text: str) -> Names:
    """Read what follows ``lsl:``, such as ``NAME`` or ``NAME,kinematics=OTHER``.

    ``PREFIX-Neural-CODE``, as PhantomDeck calls its own, finds ``PREFIX-Kinematics-CODE`` and so on by
    itself.

    Raises
    ------
    BadSetting
    """
    if not text.isprintable():
        raise BadSetting("A name of an LSL stream has characters that cannot be printed. Write it without.")
    neural, *parts = text.split(",")
    found: dict[str, str] = {}
    if NEURAL in neural:
        found = {role: neural.replace(NEURAL, f"-{role.capitalize()}-") for role in ROLES}
    for part in parts:
        role, equals, name = part.partition("=")
        if role not in ROLES or not equals or not name:
            raise BadSetting(
                f"Unknown part {part[:80]!r} of an LSL source. "
                "Write lsl:NAME, and after it any of ,kinematics=NAME ,intention=NAME ,events=NAME."
            )
        found[role] = name
    if not neural:
        raise BadSetting("An LSL source needs the name of its neural stream. Write lsl:NAME.")
    return Names(neural, **found)
