"""The programs of the card Connect, run as they are copied: a real server scores each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

from dashboard.live.snippets import Reach, snippets
from tests.benchmarks import server
from tests.brokers import RedisServer
from tests.engine.listening import wait_until

SCORED_AS = {"python": "decoder", "lsl": "answers-", "redis": "redis"}
"""How the name begins under which each is scored."""


def test_every_program_in_python_answers_and_is_scored(redis_server: RedisServer) -> None:
    code = f"lab-{uuid.uuid4().hex[:8]}"
    environment = {**os.environ, "PHANTOM_REDIS": redis_server.url}
    with server("--redis", redis_server.url) as deck:
        deck.ask("POST", "/api/sessions", {"custom_code": code, "lsl": True})
        deck.ask("POST", f"/api/control/{code}/resume")
        reach = Reach(f"ws://127.0.0.1:{deck.port}", code, f"PhantomLink-Neural-{code}", redis=True)
        programs = {each.key: each.text for each in snippets(reach)}
        running = [
            subprocess.Popen(
                [sys.executable, "-c", programs[key]], stdout=subprocess.DEVNULL, env=environment
            )
            for key in SCORED_AS
        ]

        def scored() -> bool:
            found = deck.get(f"/api/sessions/{code}/scores")["decoders"]
            return all(any(name.startswith(known) for name in found) for known in SCORED_AS.values())

        try:
            wait_until(scored)
            assert all(process.poll() is None for process in running)
        finally:
            for process in running:
                process.kill()
                process.wait()
