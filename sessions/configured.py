"""What a server plays, and to whom it sends, as its settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engine import plugins
from engine.answers.inlet import MakeInlet
from engine.bins.source import Source
from engine.broadband import load_ahead
from engine.errors import BadSetting
from engine.sinks.base import MakeSink
from engine.sources.live_lsl.names import read_names
from engine.sources.recordings import readers
from engine.sources.user.fitting import Fits
from sessions.announcing import addresses
from sessions.brokers.elsewhere import PublishingBroker
from sessions.decoding import Decoding
from sessions.floors import KeptFloors
from sessions.gate.redaction import hide
from sessions.making import LSL, RAW_LSL
from sessions.recordings import Recordings
from sessions.settings import Settings
from sessions.sources import Sources, electrodes_in

DATA = Path(__file__).parent.parent / "data"


def load(chosen: Settings) -> Recordings:
    """What there is to replay; the first is read at once."""
    if chosen.data is None:
        from engine.sources.recordings.synthetic import (
            default_recording,  # loads pynwb, which other commands do without
        )

        paths: tuple[Path, ...] = (default_recording(DATA),)
    else:
        paths = readers.scan(chosen.data)
    recordings = Recordings(
        paths,
        partial(
            readers.read_inspected,
            bin_rate=chosen.rate,
            series=chosen.series,
            trials=chosen.trials,
            spike_times_in=chosen.spike_times_in,
        ),
    )
    next(iter(recordings.values()))
    return recordings


def records_of(chosen: Settings) -> Path:
    """The folder of records and runs."""
    return chosen.records or DATA / "records"


def sinks(chosen: Settings, own: plugins.Modules) -> Mapping[str, MakeSink]:
    """What makes the sinks of sessions, by name."""
    made = plugins.sinks(own)
    if chosen.lsl_enabled:
        from engine.sinks.lsl import LslNames, LslSink  # loads liblsl, which --no-lsl does without
        from engine.sinks.lsl_raw import RawLslSink

        names = LslNames(chosen.lsl_stream_name, chosen.lsl_source_id)
        made[LSL] = lambda subject: LslSink(subject, names)
        made[RAW_LSL] = lambda subject: RawLslSink(subject, names)
    return made


def brokers_of(chosen: Settings) -> Sequence[PublishingBroker]:
    """The brokers to which sessions are published.

    Raises
    ------
    BadSetting
        If what they need is not installed, or an address cannot be read.
    """
    found: list[PublishingBroker] = []
    if chosen.redis is not None:
        try:
            from sessions.brokers.redis import RedisBroker  # needs redis, which others do without
        except ModuleNotFoundError as error:
            if error.name != "redis":
                raise
            raise BadSetting("--redis needs redis-py. Run pip install -e '.[redis]'.") from None
        url = chosen.redis.get_secret_value()
        if password := urlsplit(url).password:
            hide(password)
            hide(unquote(password))
        found.append(RedisBroker(url, addresses(chosen)))
    if chosen.kafka is not None:
        try:
            from sessions.brokers.kafka import KafkaBroker  # needs confluent-kafka
        except ModuleNotFoundError as error:
            if error.name != "confluent_kafka":
                raise
            raise BadSetting("--kafka needs confluent-kafka. Run pip install -e '.[kafka]'.") from None
        servers = chosen.kafka.get_secret_value()
        if password := urlsplit(servers if "://" in servers else f"//{servers}").password:
            hide(password)
        found.append(KafkaBroker(servers))
    return found


def lsl_inlet() -> MakeInlet:
    """What makes the LSL inlets of a session's predictions."""
    from engine.answers.lsl import LslInlet

    return LslInlet


def sources(chosen: Settings, own: plugins.Modules) -> Sources:
    """What sessions can play.

    Raises
    ------
    BadSetting
        If there is no such source as the server's own is to be.
    """
    kind, _, names = chosen.source.partition(":")
    if kind == "lsl":
        read_names(names)  # now, and not when the first session is made
    if electrodes_in(chosen.source) is not None:
        load_ahead()
    return Sources({**plugins.sources(own), "lsl": lsl_source}, chosen.source, chosen.rate, fits_of(chosen))


def fits_of(chosen: Settings) -> Fits:
    """The fits of neurons, and where they are kept."""
    return Fits(chosen.records / ".neurons" if chosen.records else DATA / "neurons")


def decoding_of(chosen: Settings) -> Decoding:
    """What decodes in the server, and where it keeps what it has made."""
    return Decoding(chosen.records / ".found" if chosen.records else DATA / "found")


def floors_of(chosen: Settings) -> KeptFloors:
    """What finds the floors of recordings, and where it keeps them."""
    return KeptFloors(chosen.records / ".floors" if chosen.records else DATA / "floors")


def lsl_source(stream: str, bin_rate: float) -> Source:
    """Listen to a live stream."""
    from engine.sources.live_lsl.source import live_lsl  # loads liblsl, as above

    return live_lsl(stream, bin_rate)
