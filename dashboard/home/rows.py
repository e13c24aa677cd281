"""What the start page's tables show of sessions, here and on other machines, and of records."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from dashboard.frames import clock, spell_speed
from dashboard.live.recording import CSV
from dashboard.table import Row
from sessions.archive import Entry
from sessions.awaited import Awaited
from sessions.rest.context import Context
from sessions.rest.lifecycle import view as view_of
from sessions.rest.models.sessions import SessionView
from sessions.session import Session

SESSIONS: Final = ("Session", "State", "Recording", "Position", "Speed", "Listeners", "Dropped")
ELSEWHERE: Final = ("Session", "Recording", "Server", "Streams")
RECORDS: Final = ("Record", "Made", "Size", "Files")
SHOWN: Final = 20
"""Records."""

LINK: Final = Markup('<a href="{}">{}</a>')
FILE: Final = Markup('<a href="{}" download>{}</a>')
RECORDED: Final = Markup(' <span class="rec" title="Being recorded">REC</span>')
BAR: Final = Markup('{}<progress max="1" value="{:.3f}" aria-label="Position"></progress>')


@dataclass(frozen=True)
class Overview:
    """Everything that comes and goes.

    Attributes
    ----------
    sessions, elsewhere : tuple of Row
        Of this server, and of others.
    decoders : mapping
        How many are connected, by session.
    most : int
        Sessions that there may be.
    """

    sessions: tuple[Row, ...]
    elsewhere: tuple[Row, ...]
    decoders: dict[str, int]
    most: int

    @property
    def count(self) -> str:
        """How many sessions there are."""
        return f"{len(self.sessions)} of at most {self.most}"


def overview(context: Context, mount: str) -> Overview:
    """What there is now; `mount` is the path under which a proxy has the pages."""
    entries = context.store.entries
    return Overview(
        tuple(session_row(entry, mount) for entry in entries.values()),
        tuple(
            Row(
                f"{each.server} {each.code}",
                (
                    LINK.format(each.dashboard_url, each.code),
                    each.recording,
                    each.server,
                    Markup("<code>{}</code>").format(each.binary_url),
                ),
            )
            for broker in context.brokers
            for each in broker.others
        ),
        {code: each.decoders for code, each in entries.items() if isinstance(each, Session)},
        context.store.limits.max_sessions,
    )


def session_row(entry: Session | Awaited, mount: str) -> Row:
    """One session, or one that waits for its stream."""
    view = view_of(entry)
    position, whole = clock(view.position_seconds), view.duration_seconds
    shown = BAR.format(f"{position} / {clock(whole)}", view.position_seconds / whole) if whole else position
    state = Markup('<span class="state" title="{}">{}</span>').format(view.error or "", view.state)
    tape = entry.tape if isinstance(entry, Session) else None
    recorded = RECORDED if tape is not None and tape.recording else ""
    return Row(
        view.session_code,
        (
            links(view, mount),
            state + recorded,
            " \N{MIDDLE DOT} ".join((view.recording, *by_way_of(view))),
            shown,
            spell_speed(view.speed),
            listeners(view),
            f"{view.dropped_packets:,}",
        ),
        view.state,
    )


def by_way_of(view: SessionView) -> list[str]:
    """What a recording's bins pass on their way to a session, if it is not that alone."""
    return [
        *(["user"] if view.closed_loop is not None else []),
        *(["electrodes"] if view.electrodes is not None else []),
    ]


def links(view: SessionView, mount: str) -> Markup:
    """To a session's page, and to that of a hand where there is a cursor to steer."""
    live = LINK.format(f"{mount}/live?session={view.session_code}", view.session_code)
    if "drive" not in view.can:
        return live
    return Markup(" \N{MIDDLE DOT} ").join(
        (live, LINK.format(f"{mount}/drive?session={view.session_code}", "Drive"))
    )


def records(context: Context, mount: str) -> tuple[Row, ...]:
    """The newest records, with their files."""
    if context.archive is None:
        return ()
    return tuple(record_row(entry, mount) for entry in [*context.archive.entries().values()][:SHOWN])


def record_row(entry: Entry, mount: str) -> Row:
    """One record."""
    url = f"{mount}/api/records/{quote(entry.name, safe='')}"
    files = [("NWB", f"{url}.nwb")]
    if not entry.encrypted:
        files += [("npz", f"{url}.npz"), *((f"CSV, {each}", f"{url}.csv?table={each}") for each in CSV)]
    links = Markup(" ").join(FILE.format(at, name) for name, at in files)
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified))
    finished = entry.state == "finished"
    return Row(entry.name, (entry.name, made, size(entry.n_bytes), links if finished else "not finished"))


def listeners(view: SessionView) -> str:
    """Who listens to a session."""
    said = [plural(view.active_connections, "decoder"), plural(view.pages, "page")]
    return ", ".join(filter(None, [*said, "LSL" if view.lsl_listened else ""])) or "none"


def plural(n: int, noun: str) -> str:
    """Nothing of none."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}" if n else ""


def size(n_bytes: int) -> str:
    """Of a file."""
    return f"{-(-n_bytes // 1000)} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:.1f} MB"
