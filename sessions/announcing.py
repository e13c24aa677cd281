"""What the server says at its start: what is replayed, what is doubtful in it, and where it is found."""

from __future__ import annotations

import socket
import webbrowser

from engine import scheduling
from engine.sources.recordings.recording import Recording
from sessions.brokers.elsewhere import Addresses
from sessions.settings import Settings
from sessions.sources import RECORDING

EVERYWHERE = ("0.0.0.0", "::", "")
"""Hosts that mean all addresses of this machine."""


def own_url(chosen: Settings) -> str:
    """The stream port as this machine reaches it."""
    host = (
        "127.0.0.1"
        if chosen.host in EVERYWHERE
        else f"[{chosen.host}]"
        if ":" in chosen.host
        else chosen.host
    )
    return f"ws{'s' if chosen.certfile else ''}://{host}:{chosen.port}"


def network_address(host: str) -> str | None:
    """The address at which other machines find a server that listens everywhere, if there is one."""
    if host not in EVERYWHERE:
        return None
    family, far = (socket.AF_INET6, "2001:db8::1") if host == "::" else (socket.AF_INET, "192.0.2.1")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))  # nothing is sent: this asks which interface leads away from here
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return f"[{address}]" if family == socket.AF_INET6 else address


def addresses(chosen: Settings) -> Addresses:
    """Where other machines find this server, as far as it can know."""
    host = network_address(chosen.host) or chosen.host
    if host in EVERYWHERE:
        host = socket.gethostname()
    host, s = (
        f"[{host}]" if ":" in host.strip("[]") and host[0] != "[" else host,
        "s" if chosen.certfile else "",
    )
    streams = f"{host}:{chosen.port}{chosen.stream_prefix}"
    return Addresses(
        stream_url=f"ws{s}://{streams}/stream",
        api_url=f"http{s}://{streams}",
        dashboard_url=f"http{s}://{host}:{chosen.dashboard_port}{chosen.prefix}",
    )


def announce(chosen: Settings, recording: Recording, made_token: str | None) -> None:
    """Say what is replayed, and where; here alone a token is shown, if it was made for this run."""
    host = "localhost" if chosen.host in ("127.0.0.1", *EVERYWHERE) else chosen.host
    host, s = f"[{host}]" if ":" in host else host, "s" if chosen.certfile else ""
    dashboard, streams = (
        f"http{s}://{host}:{chosen.dashboard_port}{chosen.prefix}/",
        f"{host}:{chosen.port}{chosen.stream_prefix}",
    )
    kind = "synthetic recording" if recording.synthetic else "recording"
    print(
        f"Replaying the {kind} {recording.name}: {_count(recording.n_units, 'unit')}, "
        f"{recording.duration:.1f} s, {_count(len(recording.trials), 'trial')}, {recording.bin_rate:g} Hz"
    )
    for what in ("position", "velocity"):
        chose = recording.series[what]
        print(f"{what.capitalize():10} {chose['name']} ({chose['how']})" if chose else f"No {what}")
    for passed in recording.series["passed_over"]:
        print(f"Passed over {passed['name']}: {passed['reason']}")
    if (wires := recording.voltages) is not None:
        why = f"cannot be played: they {wires.misfit}" if wires.misfit else "source electrodes plays them"
        print(f"Voltages   {wires.name} ({_count(wires.n_channels, 'channel')}): {why}")
    table = recording.trial_tables["taken"]
    if table and (table["name"] != "trials" or recording.trial_tables["passed_over"]):
        print(f"Trials     {table['name']} ({table['how']})")
    for passed in recording.trial_tables["passed_over"]:
        print(f"Passed over {passed['name']}: {passed['reason']}")
    for warning in recording.warnings:
        print(f"Warning    {warning}")
    if chosen.source != RECORDING:
        print(f"Source     {chosen.source}: new sessions play it, unless they ask for source recording")
    if made_token:
        print(f"Token      {made_token} (for this run; PHANTOM_TOKEN sets one that stays)")
    print(f"Dashboard  {dashboard}")
    print(f"Streams    ws{s}://{streams}/stream/CODE, REST http{s}://{streams}/docs", flush=True)
    if there := network_address(chosen.host):
        print(
            f"For others http{s}://{there}:{chosen.dashboard_port}{chosen.prefix}/, "
            f"ws{s}://{there}:{chosen.port}{chosen.stream_prefix}/stream/CODE",
            flush=True,
        )
    if chosen.open:
        with scheduling.ordinary():
            webbrowser.open(dashboard)


def _count(n: int, noun: str) -> str:
    """'1 trial', '2 trials'."""
    return f"{n} {noun}{'' if n == 1 else 's'}"
