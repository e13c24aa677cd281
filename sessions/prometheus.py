"""Measurements as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from sessions.context import Text
from sessions.models import MetricsFacts


def exposition(measured: MetricsFacts, version: str, accept: str) -> Text:
    """The text format, or OpenMetrics where the client's ``Accept`` header asks for it."""
    registry = CollectorRegistry()
    registry.register(SessionCollector(measured, version))
    encode, content_type = choose_encoder(accept)
    return Text(encode(registry), content_type)


class SessionCollector(Collector):
    """Measurements in Prometheus's own units: seconds, bytes, counts."""

    def __init__(self, measured: MetricsFacts, version: str) -> None:
        self._measured = measured
        self._version = version

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("phantom_build_info", "Version of PhantomDeck.", labels=["version"])
        info.add_metric([self._version], 1)
        yield info
        whole = self._measured
        yield GaugeMetricFamily("phantom_sessions", "Sessions.", whole.total_sessions)
        yield GaugeMetricFamily("phantom_sessions_playing", "Sessions that play.", whole.active_sessions)
        yield GaugeMetricFamily("phantom_connections", "Decoders connected.", whole.total_connections)
        yield from self._counters()
        yield from self._gauges()

    def _counters(self) -> Iterator[Metric]:
        for name, text, field in (
            ("packets_sent", "Packets sent.", "packets_sent"),
            ("packets_dropped", "Packets that slow decoders lost.", "dropped_packets"),
            ("late_ticks", "Packets sent a bin or more late.", "late_ticks"),
            ("lost_seconds", "Time given up because the replay was late.", "lost_time_seconds"),
        ):
            family = CounterMetricFamily(f"phantom_{name}", text, labels=["session"])
            for code, session in self._measured.sessions.items():
                family.add_metric([code], getattr(session, field))
            yield family

    def _gauges(self) -> Iterator[Metric]:
        playing = GaugeMetricFamily("phantom_session_playing", "1 while it plays.", labels=["session"])
        decoders = GaugeMetricFamily("phantom_session_connections", "Its decoders.", labels=["session"])
        memory = GaugeMetricFamily("phantom_session_memory_bytes", "Its packets.", labels=["session"])
        for code, session in self._measured.sessions.items():
            playing.add_metric([code], session.is_running and not session.is_paused)
            decoders.add_metric([code], session.connections)
            memory.add_metric([code], session.memory_usage_mb * 1e6)
        yield from (playing, decoders, memory)
        for name, text, field in (
            ("timing_error", "From due to sent by the replay.", "timing_error_ms"),
            ("network_latency", "From due to handed to the last socket.", "network_latency_ms"),
        ):
            family = GaugeMetricFamily(f"phantom_{name}_seconds", text, labels=["session", "statistic"])
            for code, session in self._measured.sessions.items():
                for statistic, value in getattr(session, field):
                    family.add_metric([code, statistic], value / 1000.0)
            yield family
