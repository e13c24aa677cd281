"""A client that a generator makes of the OpenAPI document works with the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sessions.serving import serving

GENERATE = "import sys; from openapi_python_client.cli import app; app(sys.argv[1:])"
LIST = """
import json, sys
from generated import Client
from generated.api.sessions import get_api_sessions, post_api_sessions
from generated.models import Create

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
for code, speed in (("paced", 2.0), ("fast", "max")):
    made = post_api_sessions.sync(client=client, body=Create(custom_code=code, speed=speed))
    assert made.session_code == code, made
listed = get_api_sessions.sync(client=client).sessions.additional_properties
print(json.dumps({code: session.speed for code, session in listed.items()}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def python(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaints(said: str) -> list[str]:
    """What the generator could not read, but files: it knows no content type of those."""
    parts = said.split("WARNING parsing ")[1:]
    return [part.splitlines()[0] for part in parts if "Unsupported content_type" not in part]


def test_generated_client_makes_and_lists_sessions(folder: Path) -> None:
    with serving() as call:
        (folder / "openapi.json").write_bytes(call("GET", "/openapi.json").content)
        options = ("--path", "openapi.json", "--output-path", "generated", "--meta", "none")
        made = python(folder, GENERATE, "generate", *options)
        assert made.returncode == 0, made.stderr
        assert complaints(made.stdout + made.stderr) == []
        listed = python(folder, LIST, f"http://127.0.0.1:{call.port}")
        assert listed.returncode == 0, listed.stderr
        speeds: Any = json.loads(listed.stdout)
        assert speeds == {"paced": 2.0, "fast": "max"}
