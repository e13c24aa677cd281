"""``serve.py check``: is the rate that a decoder gets from a running server the one that was promised?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.websocket import WebSocketClientConnection

from sessions.commands.client import (
    ANSWER_WITHIN,
    Unreachable,
    add_server,
    connect,
    credentials,
    http_of,
    leave,
    metadata_of,
    quieten,
    receive,
)
from sessions.commands.tls import trusted
from sessions.settings import Parser

STREAM = "/stream/binary?layout=compact"
SECONDS, SHORTEST, LONGEST = 10.0, 1.0, 86400.0
RATE_TOLERANCE = 0.01
"""Clocks agree to 1e-4, so 1 % means lost time and nothing else; in 1 s, the shortest run, it leaves 10 ms
for the first and the last packet to be delayed differently."""
PASS, FAIL, UNREACHABLE = 0, 1, 2


@dataclass(frozen=True)
class Report:
    """What arrived.

    Attributes
    ----------
    expected : float
        Packets per second that the metadata promise.
    numbers : array of int64, shape (n,)
        Of the packets, as the session counted them.
    lateness : array of float64, shape (n,)
        Seconds from each packet's timestamp to its arrival, by the two machines' clocks.
    arrivals : array of float64, shape (n,)
        Seconds of this machine's monotonic clock.
    """

    expected: float
    numbers: npt.NDArray[np.int64]
    lateness: npt.NDArray[np.float64]
    arrivals: npt.NDArray[np.float64]

    @property
    def rate(self) -> float:
        """Packets received per second, 0 if there were fewer than two."""
        if len(self.arrivals) < 2:
            return 0.0
        return float((len(self.arrivals) - 1) / (self.arrivals[-1] - self.arrivals[0]))

    @property
    def gaps(self) -> int:
        """Places where packets are missing."""
        return int(np.count_nonzero(np.diff(self.numbers) != 1))

    @property
    def lost(self) -> int:
        """Packets that are missing."""
        return int(np.clip(np.diff(self.numbers) - 1, 0, None).sum())

    @property
    def jitter(self) -> float:
        """99th percentile of the lateness beyond the least, in seconds: it needs no common clock."""
        return float(np.percentile(self.lateness - self.lateness.min(), 99)) if len(self.lateness) else 0.0

    def faults(self) -> list[str]:
        """Why the check fails; empty if it passes."""
        found = []
        off = abs(self.rate / self.expected - 1)
        if off > RATE_TOLERANCE:
            found.append(f"the rate is {off:.1%} off {self.expected:g} Hz, more than {RATE_TOLERANCE:.0%}")
        if self.gaps:
            found.append(f"{self.lost} packets are missing")
        if self.jitter > 1 / self.expected:
            # A decoder that runs once per bin would then find none at its turn, and two at the next.
            found.append(f"1 packet in 100 is delayed by {1000 * self.jitter:.1f} ms, more than a bin")
        return found

    def __str__(self) -> str:
        intervals = 1000 * np.diff(self.arrivals)
        late = 1000 * self.lateness
        if not len(intervals):
            return f"packets    {len(late)}"
        return (
            f"packets    {len(late)} in {self.arrivals[-1] - self.arrivals[0]:.1f} s\n"
            f"rate       {self.rate:.3f} Hz, expected {self.expected:g} Hz\n"
            f"interval   {intervals.mean():.3f} ms mean, {intervals.std():.3f} ms sd\n"
            f"gaps       {self.gaps} ({self.lost} packets missing)\n"
            f"lateness   {np.median(late):.1f} ms median, {np.percentile(late, 99):.1f} ms p99, "
            f"{late.max():.1f} ms max"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the check; returns the exit status: 0 passed, 1 failed, 2 there was nothing to check."""
    parser = Parser("serve.py check", description="Check the rate of a running server.", allow_abbrev=False)
    parser.add_argument(
        "seconds", nargs="?", default=SECONDS, type=_seconds, help=f"how long (default: {SECONDS:g})"
    )
    add_server(parser)
    options = parser.parse_args(arguments)
    quieten()
    try:
        faults = asyncio.run(_check(options.url, options.token, options.seconds))
    except Unreachable as error:
        print(f"serve.py check: {error}", file=sys.stderr)
        return UNREACHABLE
    print(f"fail: {'; '.join(faults)}" if faults else "pass")
    return FAIL if faults else PASS


async def _check(url: str, token: str | None, seconds: float) -> list[str]:
    """Listen, and print what arrived; returns what is wrong with it."""
    connection = await connect(url, STREAM, token)
    code = None
    try:
        metadata = await metadata_of(connection, url)
        code = metadata["session"]["code"]
        print(
            f"{metadata['dataset']} at {url}: {metadata['num_channels']} units, session {code}, "
            f"listening for {seconds:g} s",
            flush=True,
        )
        report, ending = await _listen(connection, metadata["frequency_hz"], seconds)
    finally:
        await leave(connection)
        if code is not None:
            await _delete(url, token, code)
    print(report)
    return ending + report.faults()


async def _listen(
    connection: WebSocketClientConnection, expected: float, seconds: float
) -> tuple[Report, list[str]]:
    """What arrives in so many seconds, and why it ended before if it did."""
    came: list[tuple[int, float, float]] = []
    ending: list[str] = []
    while not came or came[-1][2] - came[0][2] < seconds:
        packet = await receive(connection)
        arrival, wall = time.perf_counter(), time.time()
        if packet is None:
            code = connection.close_code
            ending.append("the stream fell silent" if code is None else f"the stream was closed ({code})")
            break
        came.append((packet["s"], wall - packet["t"], arrival))
    numbers, lateness, arrivals = np.array(came, np.float64).reshape(-1, 3).T
    return Report(expected, numbers.astype(np.int64), lateness, arrivals), ending


async def _delete(url: str, token: str | None, code: str) -> None:
    """End our session. If that fails, it goes when its time to live is over."""
    client = AsyncHTTPClient(force_instance=True)
    address = f"{http_of(url)}/api/sessions/{code}?force=true"
    with contextlib.suppress(OSError, HTTPClientError):
        await client.fetch(
            address,
            method="DELETE",
            headers=credentials(token),
            request_timeout=ANSWER_WITHIN,
            ssl_options=trusted(),
        )
    client.close()


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not SHORTEST <= value <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {SHORTEST:g} to {LONGEST:g} seconds")
    return value
