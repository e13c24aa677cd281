"""Decoders that the server starts for a session, each ``serve.py decode`` in a process of its own."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Final, Literal
from weakref import WeakSet

from engine.decoders import DECODERS
from engine.errors import BadSetting, NotNow
from engine.scheduling import ordinary
from sessions.commands.client import DECODING
from sessions.commands.tls import PINNED
from sessions.logs import Log
from sessions.refusals import Busy, Conflict, UnknownDecoder

log = logging.getLogger(__name__)

SERVE: Final = Path(__file__).parent.parent / "serve.py"
PER_SESSION, PER_SERVER = 4, 8
"""Processes at a time."""
GOODBYE_WITHIN: Final = 2.0
"""Seconds that a process gets to end by itself."""
LONGEST_LINE: Final = 300
READ_AT_ONCE: Final = 10_000
"""Characters of a line; a longer one is several."""
ONE_THREAD: Final = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
"""For the fit: with more it would take the processors from the sessions, and be no faster."""

State = Literal["fitting", "running", "ended", "failed"]


class Started:
    """One decoder's process. Its attributes may be read from any thread.

    Attributes
    ----------
    decoder : str
        The name under which it competes.
    state : str
        "ended" if it ended as it should: with its stream.
    line : str
        What it said last.
    log : Log
        All that it has said.
    """

    def __init__(
        self,
        decoder: str,
        process: subprocess.Popen[str],
        changed: Callable[[], None],
        log: Log,
    ) -> None:
        self.decoder = decoder
        self.log = log
        self.state: State = "fitting"
        self.line = ""
        self._process = process
        self._asked = False
        self._changed = changed
        self._reader = threading.Thread(target=self._read, name=f"output of {decoder}", daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=f"end of {decoder}", daemon=True)
        self._reader.start()
        self._watcher.start()

    @property
    def alive(self) -> bool:
        return self.state in ("fitting", "running")

    def interrupt(self) -> None:
        """Ask it to end."""
        self._asked = True
        self._process.terminate()

    def wait(self) -> None:
        """Wait until it has ended after `interrupt`; it is killed if that takes too long."""
        try:
            self._process.wait(GOODBYE_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._watcher.join()

    def _watch(self) -> None:
        """See the process end, and with it whatever it has left behind, which has its output."""
        ended_well = self._process.wait() == 0
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._reader.join(GOODBYE_WITHIN)
        # Amid connecting it finds nobody there any more: who was asked to end has not failed.
        self.state = "ended" if ended_well or self._asked else "failed"
        if self.state == "failed":
            log.warning("Decoder %s has failed: %s", self.decoder, self.line)
        self._changed()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.log.begin()
        with self._process.stdout as said, closing(self.log):
            for line in iter(partial(said.readline, READ_AT_ONCE), ""):
                self.log.write(line)
                self.line = line.strip().removeprefix("serve.py decode: ")[:LONGEST_LINE]
                if line.startswith(DECODING):
                    self.state = "running"
                self._changed()


class Launched:
    """The decoders that were started for one session, by name. May be used from any thread."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._decoders: dict[str, Started] = {}
        self._closed = False
        self._lock = threading.Lock()  # guards the two above

    @property
    def decoders(self) -> dict[str, Started]:
        """Those that run, and those that ended by themselves and have not been removed."""
        with self._lock:
            return dict(self._decoders)

    def get(self, decoder: str) -> Started:
        """One of them.

        Raises
        ------
        UnknownDecoder
        """
        with self._lock:
            return self._found(decoder)

    def start(self, decoder: str, launch: Callable[[], subprocess.Popen[str]], log: Log) -> Started:
        """Keep a process that `launch` makes, and what it says in its log.

        Raises
        ------
        Conflict
            If it runs already, or there are too many.
        NotNow
            If the session has ended.
        """
        with self._lock:
            if self._closed:
                raise NotNow("The session has just ended. Make a new one.")
            alive = [name for name, each in self._decoders.items() if each.alive]
            if decoder in alive:
                raise Conflict(f"Decoder {decoder} runs already. Stop it first, or start another.")
            if len(alive) >= PER_SESSION:
                raise Conflict(
                    f"{len(alive)} decoders were started for this session, which is the limit. Stop one, "
                    "or run serve.py decode yourself."
                )
            started = self._decoders[decoder] = Started(decoder, launch(), self._changed, log)
            return started

    def stop(self, decoder: str) -> None:
        """End a decoder's process, and forget it.

        Raises
        ------
        UnknownDecoder
        """
        with self._lock:
            started = self._found(decoder)
            del self._decoders[decoder]
        started.interrupt()
        started.wait()
        self._changed()

    def _found(self, decoder: str) -> Started:
        if decoder not in self._decoders:
            known = ", ".join(self._decoders) or "none"
            raise UnknownDecoder(f"No decoder {decoder[:80]!r} was started here. There is {known}.")
        return self._decoders[decoder]

    def close(self) -> None:
        """End all of them, and start no more. A second call does nothing."""
        with self._lock:
            self._closed = True
            ending = list(self._decoders.values())
            self._decoders.clear()
        for started in ending:
            started.interrupt()
        for started in ending:
            started.wait()


class Launcher:
    """Makes the processes, which connect to this server as anybody's would. May be used from any thread.

    Parameters
    ----------
    url : str
        The stream port, as this machine reaches it.
    token, certificate : str, optional
        The server's; the certificate in PEM. The processes trust it alone, whatever its name.
    logs : Path, optional
        The folder of their logs; none are kept if None.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        certificate: str | None = None,
        logs: Path | None = None,
    ) -> None:
        self._url = url
        self._logs = logs
        own = {"PHANTOM_TOKEN": token, PINNED: certificate}
        self._started: WeakSet[Started] = WeakSet()  # of all sessions
        self._lock = threading.Lock()  # guards it, and is held from the count to the start
        self._environment = ONE_THREAD | {name: value for name, value in own.items() if value}

    def start(
        self,
        launched: Launched,
        code: str,
        decoder: str,
        name: str | None = None,
        options: Sequence[str] = (),
    ) -> Started:
        """Start a decoder for the session of this code.

        Parameters
        ----------
        launched : Launched
            Of the session.
        code, decoder : str
        name : str, optional
            Under which it competes, if not under the decoder's.
        options : sequence of str
            More of what ``serve.py decode`` takes.

        Raises
        ------
        BadSetting
            If there is no such decoder.
        Busy
            If the server has too many of them.
        Conflict, NotNow
            As `Launched.start` has it.
        """
        if decoder not in DECODERS:
            raise BadSetting(f"Unknown decoder {decoder[:80]!r}. There are {', '.join(DECODERS)}.")
        with self._lock:
            n_alive = sum(each.alive for each in self._started)
            if n_alive >= PER_SERVER:
                raise Busy(
                    f"This server runs {n_alive} decoders, which is the limit. Stop one, or run "
                    "serve.py decode yourself."
                )
            name = name or decoder
            command = [f"--session={code}", f"--decoder={decoder}", f"--name={name}", *options]
            kept = Log(self._logs, code, name)
            started = launched.start(name, lambda: self._launch(command), kept)
            self._started.add(started)
            return started

    def _launch(self, options: Sequence[str]) -> subprocess.Popen[str]:
        log.info("Starting a decoder: %s", " ".join(options))
        with ordinary():
            return subprocess.Popen(
                [sys.executable, str(SERVE), "decode", "--url", self._url, *options],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a terminal's interrupt is for the server, which decides
            )
