"""Measurements as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from sessions.rest.context import Text
from sessions.rest.models.scores import Scores
from sessions.rest.models.server import ServerMetrics


def exposition(measured: ServerMetrics, scores: Mapping[str, Scores], version: str, accept: str) -> Text:
    """The text format, or OpenMetrics where the client's ``Accept`` header asks for it.

    Parameters
    ----------
    measured : ServerMetrics
    scores : mapping of str to Scores
        By session.
    version, accept : str
    """
    registry = CollectorRegistry()
    registry.register(SessionCollector(measured, version))
    registry.register(ScoreCollector(scores))
    encode, content_type = choose_encoder(accept)
    return Text(encode(registry), content_type)


class SessionCollector(Collector):
    """Measurements in Prometheus's own units: seconds, bytes, counts."""

    def __init__(self, measured: ServerMetrics, version: str) -> None:
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
        labels = ["session", "sink"]
        well = GaugeMetricFamily("phantom_sink_up", "0 where it has failed or blocks.", labels=labels)
        lost = CounterMetricFamily("phantom_sink_lost", "Bins that it never got.", labels=labels)
        for code, session in self._measured.sessions.items():
            for sink in session.sinks:
                well.add_metric([code, sink.name], sink.state in ("starting", "running"))
                lost.add_metric([code, sink.name], sink.lost)
        yield from (well, lost)
        there = GaugeMetricFamily("phantom_source_up", "0 where a stream is gone.", labels=["session"])
        for code, session in self._measured.sessions.items():
            if session.stream is not None:
                there.add_metric([code], session.stream.state == "running")
        for code in self._measured.waiting:
            there.add_metric([code], 0)
        yield there
        for name, text, field in (
            ("timing_error", "From due to sent by the replay.", "timing_error_ms"),
            ("network_latency", "From due to handed to the last socket.", "network_latency_ms"),
        ):
            family = GaugeMetricFamily(f"phantom_{name}_seconds", text, labels=["session", "statistic"])
            for code, session in self._measured.sessions.items():
                for statistic, value in getattr(session, field):
                    family.add_metric([code, statistic], value / 1000.0)
            yield family


VERDICTS = ("on_time", "late", "stale", "duplicate", "refused")
GAUGES = (
    ("r2", "Coefficient of determination over the last 10 s.", ("r2_position", "r2_velocity"), 1.0),
    ("rmse", "Error over the last 10 s, length units.", ("rmse_position", "rmse_velocity"), 1.0),
    ("correlation", "Over the last 10 s.", ("correlation_position", "correlation_velocity"), 1.0),
    ("lag_seconds", "By which it is behind, over the last 10 s.", ("lag_ms",), 1e-3),
    ("angular_error_degrees", "Over the last 10 s.", ("angular_error_deg",), 1.0),
    ("bit_rate", "Fitts throughput over the last 10 s, bits/s.", ("bit_rate",), 1.0),
    ("latency_seconds", "From due to received, last 10 s.", ("latency_p50_ms", "latency_p99_ms"), 1e-3),
    ("coverage", "Share of delivered bins answered, last 10 s.", ("coverage",), 1.0),
)
"""Name, meaning, measures and their factor. What has no value is not exposed."""
COUNTERS = (
    ("trials", "Trials followed.", "n_trials"),
    ("hits", "Trials in which it hit.", "n_hits"),
    ("missing", "Bins without a prediction.", "missing"),
)


class ScoreCollector(Collector):
    """How good decoders are."""

    def __init__(self, scores: Mapping[str, Scores]) -> None:
        self._decoders = [
            ([session, name], decoder)
            for session, found in scores.items()
            for name, decoder in found.decoders.items()
        ]

    def collect(self) -> Iterator[Metric]:
        labels = ["session", "decoder"]
        for name, text, measures, factor in GAUGES:
            gauge = GaugeMetricFamily(f"phantom_decoder_{name}", text, labels=[*labels, "measure"])
            for who, decoder in self._decoders:
                for measure in measures:
                    if (value := getattr(decoder.window, measure)) is not None:
                        gauge.add_metric([*who, measure], value * factor)
            yield gauge
        for name, text, field in COUNTERS:
            family = CounterMetricFamily(f"phantom_decoder_{name}", text, labels=labels)
            for who, decoder in self._decoders:
                family.add_metric(who, getattr(decoder, field))
            yield family
        family = CounterMetricFamily(
            "phantom_decoder_predictions", "Predictions received.", labels=[*labels, "verdict"]
        )
        for who, decoder in self._decoders:
            for verdict in VERDICTS:
                family.add_metric([*who, verdict], getattr(decoder, verdict))
        yield family
