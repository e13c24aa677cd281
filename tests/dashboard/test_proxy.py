"""Behind nginx, under a path that it strips or leaves, everything works as it does without."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import websocket
from playwright.sync_api import Browser

from tests.benchmarks import free_port, server
from tests.benchmarks.dashboard import wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_set_header Host $proxy_host;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_buffering off;
    location /deck/ {{ proxy_pass http://127.0.0.1:{dashboard}{slash}; }}
    location /streams/ {{ proxy_pass http://127.0.0.1:{streams}{slash}; }}
  }}
}}
"""


@pytest.fixture(scope="module", params=["stripped", "left"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a proxy before a real server."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    with server("--no-lsl", "--prefix", "/deck", "--stream-prefix", "/streams") as ours:
        facts = {"dashboard": ours.dashboard_port, "streams": ours.port, "folder": folder, "port": port}
        path: Path = folder / "nginx.conf"
        path.write_text(CONFIGURATION.format(slash="/" if request.param == "stripped" else "", **facts))
        with subprocess.Popen([NGINX, "-c", path, "-p", folder], stderr=subprocess.PIPE) as process:
            wait_until((folder / "pid").is_file, 20.0)
            try:
                yield f"127.0.0.1:{port}"
            finally:
                process.terminate()


def ask(method: str, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, method=method), timeout=20) as answer:
        return json.load(answer)


def test_addresses_that_are_handed_out_lead_through_the_proxy(proxy: str) -> None:
    for path in ("deck", "streams"):
        made = ask("POST", f"http://{proxy}/{path}/api/sessions", {"custom_code": f"by-{path}"})
        assert made["stream_url"] == f"ws://{proxy}/streams/stream/by-{path}"
        assert made["dashboard_url"] == f"http://{proxy}/deck/live?session=by-{path}"
        socket = websocket.create_connection(made["stream_url"], timeout=20)
        assert json.loads(socket.recv())["session"]["url"] == made["stream_url"]
        assert json.loads(socket.recv())["type"] == "data"
        socket.close()
        socket.shutdown()


def test_pages_find_all_that_they_need_through_the_proxy(proxy: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    faults: list[str] = []
    page.on("response", lambda got: got.status >= 400 and faults.append(f"{got.status} {got.url}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda asked: "/deck/" in asked.url or faults.append(asked.url))
    ask("POST", f"http://{proxy}/deck/api/sessions", {"custom_code": "shown"})
    page.goto(f"http://{proxy}/deck/")
    page.locator("tr[data-key] [href$='/deck/live?session=shown']").click()
    page.wait_for_selector("canvas")
    assert f"ws://{proxy}/streams/stream/shown" in page.content()
    ask("POST", f"http://{proxy}/deck/api/control/shown/resume")
    page.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_selector("body[data-controls=ready]")
    page.get_by_role("link", name="Calibrate", exact=True).click()
    page.wait_for_url(f"http://{proxy}/deck/calibrate")
    page.wait_for_selector("body[data-controls=ready]")
    context.close()
    assert faults == []
