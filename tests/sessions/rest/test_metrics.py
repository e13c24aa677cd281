"""Measurements: what they say, and in which form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sessions.rest.metrics import distribution
from tests.sessions.serving import Client, serving

ZEROS = {"mean": 0.0, "std": 0.0, "p99": 0.0, "max": 0.0}
SCRAPER = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


class SlowDecoders:
    """Listeners that lost three packets."""

    dropped = 3
    latencies = np.array([0.001, 0.003])
    size = 1

    def __init__(self, replay, loop):
        pass

    def close(self, code, reason):
        pass


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        yield client


def measured(call):
    return call("GET", "/metrics").json["metrics"]


def test_a_session_that_never_played_has_zeros(call):
    call.create()
    session = measured(call)["sessions"]["deck"]
    assert session["network_latency_ms"] == session["timing_error_ms"] == ZEROS
    assert (session["packets_sent"], session["dropped_packets"], session["late_ticks"]) == (0, 0, 0)


def test_losses_and_latencies_are_those_of_the_listeners(call):
    call.create()
    session = call.store.get("deck")
    loop = asyncio.new_event_loop()
    session.audience(SlowDecoders, loop)
    session.admit(None)
    metrics = measured(call)
    assert metrics["total_connections"] == 1
    assert metrics["sessions"]["deck"]["connections"] == 1
    assert metrics["sessions"]["deck"]["dropped_packets"] == 3
    assert metrics["sessions"]["deck"]["network_latency_ms"]["mean"] == pytest.approx(2.0)
    stats = call("GET", "/api/stats").json
    assert stats["dropped_packets"] == stats["session_manager"]["dropped_packets"] == 3
    assert stats["lsl_streaming"] == {"enabled": False, "sessions": 0}
    loop.close()


def test_memory_holds_at_least_the_last_minute_of_packets(call):
    call.create()
    ring = call.store.get("deck").ring
    assert (
        measured(call)["sessions"]["deck"]["memory_usage_mb"] * 1e6 >= ring.capacity * ring.dtype.itemsize
    )


def test_distribution_of_values():
    values = np.random.default_rng(1).exponential(size=57)
    found = distribution(values)
    assert (found.mean, found.std, found.max) == (values.mean(), values.std(), values.max())
    assert found.p99 == pytest.approx(np.percentile(values, 99))
    assert distribution(values[:1]).p99 == values[0]


@pytest.mark.parametrize(
    ("query", "accept", "content_type"),
    [
        ("", "*/*", "application/json"),
        ("", "application/json, text/plain, */*", "application/json"),
        ("", "text/plain", "text/plain"),
        ("", SCRAPER, "application/openmetrics-text"),
        ("?format=prometheus", "*/*", "text/plain"),
        ("?format=json", "text/plain", "application/json"),
    ],
)
def test_the_form_follows_query_and_accept_header(call, query, accept, content_type):
    reply = call("GET", f"/metrics{query}", Accept=accept)
    assert reply.headers["Content-Type"].partition(";")[0] == content_type


def test_prometheus_reads_the_text_form(call):
    call.create()
    call.store.get("deck").admit(None)
    text = call("GET", "/metrics?format=prometheus").content.decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["phantom_sessions",] == 1
    assert samples["phantom_session_connections", "deck"] == 1
    assert samples["phantom_packets_sent_total", "deck"] == 0
    assert samples["phantom_timing_error_seconds", "deck", "p99"] == 0
    assert samples["phantom_session_memory_bytes", "deck"] > 0
