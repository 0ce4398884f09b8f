"""The documents page in a real browser."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Page, open_page
from tests.support.process import TOKEN, Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def page(server: Server, tmp_path: Path) -> Iterator[Page]:
    with open_page(f"{server.base}/docs", tmp_path / "profile") as opened:
        opened.wait_for("document.querySelectorAll('details').length > 30")
        yield opened


def test_c_26_the_page_shows_every_operation_and_every_message_without_any_network(server: Server, page: Page) -> None:
    """C-26, S0-6, S1-8: /docs renders both documents by itself; nothing is loaded from elsewhere."""
    text = page.run("document.body.textContent")
    paths = server.get("/openapi.json", token=None).json()["paths"]
    live = server.get("/asyncapi.json", token=None).json()
    assert [path for path in paths if path not in text] == []
    assert [one["address"] for one in live["channels"].values() if one["address"] not in text] == []
    for message in live["components"]["messages"].values():
        assert message["summary"] in text
        for example in message["examples"]:
            assert json.dumps(example["payload"], separators=(",", ":"))[:40] in text
    assert page.complaints == []
    loaded = page.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert sorted(loaded) == [f"{server.base}/asyncapi.json", f"{server.base}/openapi.json"]


def test_a_message_can_be_linked_to_and_is_seen(server: Server, page: Page) -> None:
    """C-26: the picture is kept beside the test's other files, for whoever wants to look."""
    page.call("Page.navigate", url="about:blank")
    page.call("Page.navigate", url=f"{server.base}/docs#channels.ws.OrderMessage")
    shown = page.wait_for("document.querySelector('details[open] details[open]')?.getBoundingClientRect().height")
    assert shown > 200
    text = page.run("document.querySelector('details[open] details[open]').innerText")
    assert "partially_filled" in text
    assert "remaining *" in text
    picture = page.screenshot()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert width >= 1000
    assert height >= 1000


def test_a_stream_can_be_tried_from_the_page(page: Page) -> None:
    """S0-40, S0-65: a browser gives the token in the query."""
    page.run(f"document.getElementById('token').value = '{TOKEN}'")
    page.run("document.querySelector('[id=\"streams.ticker\"] button').click()")
    page.wait_for(
        "document.querySelector('[id=\"streams.ticker\"] > div > div pre').textContent.includes('24hrTicker')"
    )
    assert page.complaints == []


def test_the_channel_protocol_can_be_tried_from_the_page(page: Page) -> None:
    """S1-2, S1-3, S1-6, S1-9: the page signs its login, and sends the first example."""
    page.run(f"document.getElementById('token').value = '{TOKEN}'")
    bench = "document.querySelector('[id=\"channels.ws\"] > div > div')"
    page.run(f"{bench}.querySelector('button').click()")
    page.wait_for(f"{bench}.querySelector('pre').textContent.includes('\"event\":\"authenticated\"')")
    page.run(f"[...{bench}.querySelectorAll('button')].at(-1).click()")
    page.wait_for(f"{bench}.querySelector('pre').textContent.includes('\"channel\":\"market_data\"')")
    assert TOKEN not in page.run("document.body.innerText")
    assert page.complaints == []


def test_a_path_with_a_parameter_can_be_tried_from_the_page(page: Page) -> None:
    """S1-14: the symbol goes into the path, and the answer is shown."""
    page.run(f"document.getElementById('token').value = '{TOKEN}'")
    one = "[...document.querySelectorAll('details')].find(part => part.id === 'position')"
    page.run(f"{one}.querySelector('button').click()")
    page.wait_for(f"{one}.querySelector('pre').textContent.startsWith('404 ')")
    assert "No position in BTCUSDT" in page.run(f"{one}.querySelector('pre').textContent")
