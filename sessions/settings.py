"""The settings of a server: one declaration for the command line and the environment."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine.errors import BadSetting
from engine.files.sealed import KEY
from engine.sources.recordings.readers.wanted import SPELLED, seconds_in

Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Each is also an environment variable, ``PHANTOM_`` and its name; the command line wins."""

    model_config = SettingsConfigDict(env_prefix="PHANTOM_", env_ignore_empty=True)

    data: Path | None = Field(None, description="recording or folder of recordings (default: synthetic)")
    series: Annotated[dict[str, str], NoDecode] = Field(
        {}, description="position=NAME,velocity=NAME: series to use instead of those the reader chooses"
    )
    trials: str | None = Field(
        None, min_length=1, description="table of trials to use instead of the one the reader chooses"
    )
    spike_times_in: str | None = Field(
        None, description="unit of the spike times where it is not s: ms, us, or samples:30000"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port of streams and REST")
    dashboard_port: int = Field(5006, ge=1, le=65535, description="port of the dashboard")
    prefix: str = Field("", description="path under which a proxy has the dashboard, such as /deck")
    stream_prefix: str = Field("", description="path under which it has streams and REST, such as /streams")
    rate: float = Field(40.0, ge=1, le=1000, description="bins per second")
    lsl_enabled: bool = Field(True, description="LSL outlets")
    lsl_stream_name: str = Field("PhantomLink", min_length=1, description="first word of LSL stream names")
    lsl_source_id: str = Field("phantomlink", min_length=1, description="first word of LSL source ids")
    real_time: bool = Field(True, description="real-time scheduling, where the system allows it")
    open: bool = Field(False, description="open the dashboard in a browser")
    records: Path | None = Field(None, description="folder of records (default: data/records)")
    max_sessions: int = Field(50, ge=1, description="sessions at most")
    session_ttl: float = Field(3600.0, gt=0, description="seconds a session lives without use or listener")
    allow_origin: Names = Field(
        (), description="origin of other pages that may connect (repeat it for several)"
    )
    token: SecretStr | None = Field(
        None,
        description="token that clients must show; better in PHANTOM_TOKEN, as others see command lines",
    )
    insecure: bool = Field(False, description="no token, although others can reach --host")
    allow_host: Names = Field((), description="name by which clients may call it (repeat it for several)")
    certfile: Path | None = Field(None, description="certificate, to speak TLS")
    keyfile: Path | None = Field(None, description="its key, if the certificate's file does not hold it")
    audit_log: Path | None = Field(None, description="file to which every request is noted, as JSON lines")
    requests_per_second: float = Field(250.0, ge=1, description="requests that one address may send")
    sessions_per_address: int | None = Field(
        None, ge=1, description="sessions that one address may make (default: as many as there may be)"
    )
    clients_per_session: int = Field(1000, ge=1, description="decoders that a session may have")
    source: str = Field(
        "recording",
        description="what new sessions play: recording; user, a simulated user in closed loop; "
        "user:person, a person's hand; electrodes, a recording as spikes found in its own voltages or in "
        "simulated ones; user:electrodes, both; or lsl:NAME, a live stream of the lab network",
    )
    plugins: Path | None = Field(
        None, description="folder of your own sources, readers, decoders, perturbations, sinks and plots"
    )
    redis: SecretStr | None = Field(
        None,
        description="Redis for bins and predictions, such as redis://rig1:6379/0; with a password, better "
        "in PHANTOM_REDIS",
    )
    kafka: SecretStr | None = Field(
        None,
        description="Kafka brokers for the same, such as rig1:9092,rig2:9092; with a password, better in "
        "PHANTOM_KAFKA",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("series", mode="before")
    @classmethod
    def _parse_series(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = dict(part.partition("=")[::2] for part in value.split(",") if part)
        if not pairs or not set(pairs) <= {"position", "velocity"} or not all(pairs.values()):
            raise ValueError("send position=NAME, velocity=NAME, or both with a comma")
        return pairs

    @field_validator("spike_times_in")
    @classmethod
    def _known_unit(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                seconds_in(value)
            except BadSetting:
                raise ValueError(f"choose {SPELLED}") from None
        return value

    @field_validator("prefix", "stream_prefix")
    @classmethod
    def _path(cls, value: str) -> str:
        path = value.rstrip("/")
        if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
            raise ValueError("send a path that begins with a slash, such as /deck")
        return path

    @field_validator("token")
    @classmethod
    def _visible(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch("[!-~]+", value.get_secret_value()):
            raise ValueError("use letters, digits and signs of ASCII, without a space")
        return value

    @field_validator("redis")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"(rediss?://[^/]|unix://)", value.get_secret_value()):
            raise ValueError("send redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix://PATH")
        return value

    @field_validator("insecure")
    @classmethod
    def _contradicts_no_token(cls, value: bool, facts: ValidationInfo) -> bool:
        if value and facts.data.get("token"):
            raise ValueError("give a token or --insecure, not both")
        return value

    @field_validator("allow_host", "allow_origin", mode="before")
    @classmethod
    def _parse_names(cls, value: Any) -> Any:
        given = value.split(",") if isinstance(value, str) else value
        return tuple(each.strip().rstrip("/") for each in given)

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("choose DEBUG, INFO, WARNING or ERROR")
        return value.upper()


ON_COMMAND_LINE = (
    "data", "series", "trials", "spike_times_in", "host", "port", "dashboard_port",
    "prefix", "stream_prefix", "rate", "source", "records",
    "max_sessions", "session_ttl",
    "token", "allow_host", "allow_origin", "certfile", "keyfile", "audit_log", "requests_per_second",
    "sessions_per_address", "clients_per_session", "redis", "kafka", "plugins", "log_level",
)  # fmt: skip


REPEATED = ("allow_host", "allow_origin")
SECRET = ("token", "redis", "kafka")

FURTHER = f"""\
commands, each with a --help of its own:
  serve.py check [SECONDS]  whether a running server's stream is punctual
  serve.py decode ...       run a decoder on a session of a running server
  serve.py compare ...      compare decoders, in open loop or by simulated users
  serve.py finish JOURNAL   make the file of a record whose server was killed

Each setting is also an environment variable: PHANTOM_ and its name, such as PHANTOM_PORT=9000,
PHANTOM_LSL_ENABLED=false. In the environment alone: {KEY}, the passphrase that
encrypts records and reads encrypted ones.
"""


class Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. Run {self.prog} --help for the options.\n")


def parser() -> Parser:
    """The command line. What is not given is absent from the result."""
    made = Parser(
        "serve.py",
        description="Replay neural recordings to decoders.",
        epilog=FURTHER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name in ON_COMMAND_LINE:
        field = Settings.model_fields[name]
        made.add_argument(
            "--" + name.replace("_", "-"),
            default=argparse.SUPPRESS,
            action="append" if name in REPEATED else "store",
            metavar=name.upper(),
            help=(field.description or "") + (f" (default: {field.default})" if field.default else ""),
        )
    made.add_argument(
        "--no-lsl",
        dest="lsl_enabled",
        action="store_false",
        default=argparse.SUPPRESS,
        help="no LSL outlets",
    )
    made.add_argument(
        "--no-real-time",
        dest="real_time",
        action="store_false",
        default=argparse.SUPPRESS,
        help="be scheduled as other programs are, even where the system would allow more",
    )
    for name in ("open", "insecure"):
        made.add_argument(
            f"--{name}",
            action="store_true",
            default=argparse.SUPPRESS,
            help=Settings.model_fields[name].description,
        )
    return made


def settings(arguments: Sequence[str]) -> Settings:
    """Settings from the command line's arguments and the environment.

    Raises
    ------
    BadSetting
        One line that names the setting, its value and the rule.
    """
    return checked(vars(parser().parse_args(arguments)))


def checked(given: Mapping[str, Any]) -> Settings:
    """Settings from what a command line gave, by their names, and the environment; raises as `settings`."""
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        spelled = f"--{name.replace('_', '-')}" if name in given else f"PHANTOM_{name.upper()}"
        value = "***" if name in SECRET else first["input"]
        raise BadSetting(f"{spelled} {value}: {first['msg'].removeprefix('Value error, ')}.") from None
