"""Each setting is a flag and a variable, the flag wins, and a wrong value gets one line that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from engine.errors import BadSetting
from sessions.settings import Settings, settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """None of our variables, whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PHANTOM_{name.upper()}", raising=False)
    return monkeypatch


EACH = [
    ("data", "--data recordings", "recordings", Path("recordings")),
    (
        "series",
        "--series position=a,velocity=b",
        "position=a,velocity=b",
        {"position": "a", "velocity": "b"},
    ),
    ("series", "--series velocity=hand", "velocity=hand", {"velocity": "hand"}),
    ("trials", "--trials reaches", "reaches", "reaches"),
    ("spike_times_in", "--spike-times-in samples:30000", "samples:30000", "samples:30000"),
    ("spike_times_in", "--spike-times-in ms", "ms", "ms"),
    ("host", "--host 0.0.0.0", "0.0.0.0", "0.0.0.0"),
    ("port", "--port 9000", "9000", 9000),
    ("dashboard_port", "--dashboard-port 9001", "9001", 9001),
    ("prefix", "--prefix /deck", "/deck", "/deck"),
    ("stream_prefix", "--stream-prefix /streams/", "/streams/", "/streams"),
    ("rate", "--rate 33.3", "33.3", 33.3),
    ("lsl_enabled", "--no-lsl", "false", False),
    ("real_time", "--no-real-time", "false", False),
    ("open", "--open", "true", True),
    ("records", "--records kept", "kept", Path("kept")),
    ("max_sessions", "--max-sessions 3", "3", 3),
    ("source", "--source lsl:rig", "lsl:rig", "lsl:rig"),
    ("session_ttl", "--session-ttl 60", "60", 60.0),
    ("allow_origin", "--allow-origin https://a.b", "https://a.b", ("https://a.b",)),
    ("token", "--token s3cret", "s3cret", SecretStr("s3cret")),
    ("kafka", "--kafka rig1:9092", "rig1:9092", SecretStr("rig1:9092")),
    ("redis", "--redis redis://rig1:6379/0", "redis://rig1:6379/0", SecretStr("redis://rig1:6379/0")),
    ("insecure", "--insecure", "true", True),
    ("allow_host", "--allow-host rig7.lab", "rig7.lab", ("rig7.lab",)),
    ("certfile", "--certfile rig.crt", "rig.crt", Path("rig.crt")),
    ("keyfile", "--keyfile rig.key", "rig.key", Path("rig.key")),
    ("audit_log", "--audit-log who.jsonl", "who.jsonl", Path("who.jsonl")),
    ("requests_per_second", "--requests-per-second 9", "9", 9.0),
    ("sessions_per_address", "--sessions-per-address 5", "5", 5),
    ("clients_per_session", "--clients-per-session 6", "6", 6),
    ("plugins", "--plugins ours", "ours", Path("ours")),
    ("log_level", "--log-level debug", "debug", "DEBUG"),
]


def test_defaults_are_those_of_the_contract() -> None:
    assert settings([]).model_dump() == {
        "data": None,
        "series": {},
        "trials": None,
        "spike_times_in": None,
        "host": "127.0.0.1",
        "port": 8000,
        "dashboard_port": 5006,
        "prefix": "",
        "stream_prefix": "",
        "rate": 40.0,
        "lsl_enabled": True,
        "lsl_stream_name": "PhantomLink",
        "lsl_source_id": "phantomlink",
        "real_time": True,
        "open": False,
        "records": None,
        "max_sessions": 50,
        "source": "recording",
        "session_ttl": 3600.0,
        "token": None,
        "redis": None,
        "kafka": None,
        "insecure": False,
        "allow_host": (),
        "allow_origin": (),
        "certfile": None,
        "keyfile": None,
        "audit_log": None,
        "requests_per_second": 250.0,
        "sessions_per_address": None,
        "clients_per_session": 1000,
        "plugins": None,
        "log_level": "INFO",
    }


@pytest.mark.parametrize(("name", "flag", "variable", "value"), EACH)
def test_each_setting_is_a_flag(name: str, flag: str, variable: str, value: Any) -> None:
    chosen = settings(flag.split())

    assert getattr(chosen, name) == value
    assert chosen.model_dump(exclude={name}) == settings([]).model_dump(exclude={name})


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        *((name, variable, value) for name, _, variable, value in EACH),
        ("lsl_stream_name", "Lab", "Lab"),
        ("lsl_source_id", "rig7", "rig7"),
    ],
)
def test_each_setting_is_a_variable(
    environment: pytest.MonkeyPatch, name: str, variable: str, value: Any
) -> None:
    environment.setenv(f"PHANTOM_{name.upper()}", variable)

    assert getattr(settings([]), name) == value


def test_every_setting_is_tested() -> None:
    assert {name for name, *_ in EACH} | {"lsl_stream_name", "lsl_source_id"} == set(Settings.model_fields)


def test_command_line_wins(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PHANTOM_PORT", "9100")
    environment.setenv("PHANTOM_RATE", "nonsense")
    chosen = settings(["--port", "9000", "--rate", "50"])

    assert (chosen.port, chosen.rate) == (9000, 50.0)


def test_empty_variable_is_none(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PHANTOM_PORT", "")

    assert settings([]).port == 8000


def test_origins_may_be_several(environment: pytest.MonkeyPatch) -> None:
    assert settings(["--allow-origin", "https://a", "--allow-origin", "null"]).allow_origin == (
        "https://a",
        "null",
    )
    environment.setenv("PHANTOM_ALLOW_ORIGIN", "https://a,https://b")
    assert settings([]).allow_origin == ("https://a", "https://b")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("--port 0", ("--port", "0", "greater than or equal to 1")),
        ("--port 70000", ("--port", "70000", "less than or equal to 65535")),
        ("--port http", ("--port", "http", "valid integer")),
        ("--dashboard-port -1", ("--dashboard-port", "-1")),
        ("--rate 0", ("--rate", "0")),
        ("--rate nan", ("--rate", "nan")),
        ("--rate 1001", ("--rate", "1001", "1000")),
        ("--max-sessions 0", ("--max-sessions", "0")),
        ("--session-ttl 0", ("--session-ttl", "0")),
        ("--spike-times-in min", ("--spike-times-in", "min", "choose s, ms, us, or samples:RATE")),
        ("--spike-times-in samples:0", ("--spike-times-in", "samples:0", "samples:30000")),
        ("--series hand", ("--series", "hand", "send position=NAME")),
        ("--series position=", ("--series", "send position=NAME")),
        ("--series acceleration=a", ("--series", "acceleration=a")),
        ("--requests-per-second 0", ("--requests-per-second", "0")),
        ("--sessions-per-address 0", ("--sessions-per-address", "0")),
        ("--insecure --token a", ("--insecure", "not both")),
        ("--log-level loud", ("--log-level", "loud", "choose DEBUG, INFO, WARNING or ERROR")),
    ],
)
def test_wrong_flag_gets_one_line_with_its_name_and_value(arguments: str, names: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting) as refused:
        settings(arguments.split())

    line = str(refused.value)
    assert "\n" not in line
    assert all(name in line for name in names), line


@pytest.mark.parametrize("token", ["two words", "naïve", "", "line\nbreak"])
def test_token_that_no_header_can_carry_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(BadSetting) as refused:
        settings(["--token", token])

    assert str(refused.value) == "--token ***: use letters, digits and signs of ASCII, without a space."


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PHANTOM_PORT", "http"),
        ("PHANTOM_LSL_ENABLED", "perhaps"),
        ("PHANTOM_MAX_SESSIONS", "-3"),
        ("PHANTOM_SERIES", "hand"),
        ("PHANTOM_LOG_LEVEL", "loud"),
    ],
)
def test_wrong_variable_gets_one_line_with_its_name_and_value(
    environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    environment.setenv(variable, value)
    with pytest.raises(BadSetting) as refused:
        settings([])

    assert str(refused.value).startswith(f"{variable} {value}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["--port"], ["--por", "9000"], ["extra"], ["--no-lsl=1"]]
)
def test_command_line_that_cannot_be_parsed_exits_with_2_and_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        settings(arguments)
    said = capsys.readouterr()

    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.startswith("serve.py: ")
    assert said.err.endswith("Run serve.py --help for the options.\n")
    assert said.err.count("\n") == 1


def test_help_shows_every_flag_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        settings(["--help"])
    said = capsys.readouterr().out

    assert ended.value.code == 0
    for _, flag, _, _ in EACH:
        assert flag.split()[0] in said
    for default in ("127.0.0.1", "8000", "5006", "40.0", "50", "3600.0", "INFO"):
        assert f"(default: {default})" in " ".join(said.split())
    for further in ("serve.py check", "serve.py decode", "serve.py finish", "PHANTOM_RECORD_KEY"):
        assert further in said


@pytest.mark.parametrize("value", ["http://:s3cret@rig1", "rig1:6379", "redis://"])
def test_bad_address_of_redis_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        settings(["--redis", value])

    assert (
        str(refused.value) == "--redis ***: send redis://HOST:PORT/0, rediss://HOST:PORT/0 or unix://PATH."
    )


def test_address_of_redis_comes_from_the_environment_and_is_not_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PHANTOM_REDIS", "redis://:s3cret@rig1:6379/0")
    chosen = settings([])

    assert chosen.redis is not None
    assert chosen.redis.get_secret_value() == "redis://:s3cret@rig1:6379/0"
    assert "s3cret" not in repr(chosen)
