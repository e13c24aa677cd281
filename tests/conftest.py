"""What many tests need: Chromium, Node and Redis, which the machine may lack, and a clock."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

from engine.bins import clock
from tests.brokers import REDIS, KafkaCluster, RedisServer
from tests.clocks import JumpingClock

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first has no window to draw around pages, which makes it a quarter quicker."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
"""Each worker, and each server that a test starts, would compile the whole project for itself."""


def missing(what: str) -> NoReturn:
    """Skip the test, unless the environment says that everything must be there."""
    if os.environ.get("PHANTOM_REQUIRE_BROWSER") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: while Playwright runs, the main thread has no other event loop."""
    if CHROMIUM is None:
        missing("There is no Chromium. Install it (on Debian: apt install chromium) to run this test.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """An empty Redis on a port of its own."""
    if REDIS is None:
        missing(
            "There is no redis-server. Install it (on Debian: apt install redis-server) to run this test."
        )
    with RedisServer().running() as server:
        yield server


@pytest.fixture
def kafka_cluster() -> Iterator[KafkaCluster]:
    """An empty Kafka on a port of its own."""
    with KafkaCluster().running() as cluster:
        yield cluster


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> JumpingClock:
    """The engine's clock from now on."""
    made = JumpingClock()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Without the garbage collector, which would find cycles sooner or later."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
