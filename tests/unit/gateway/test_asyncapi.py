"""The AsyncAPI document: made from the structs, whole, and true to what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from cryptotrader.dialects.channels import messages as channel_messages
from cryptotrader.dialects.channels.messages import ChannelName
from cryptotrader.dialects.description import MessageDoc, ProtocolDoc
from cryptotrader.gateway.asyncapi.document import build
from cryptotrader.gateway.asyncapi.protocols import PROTOCOLS
from tests.support.asyncapi import payload_validator
from tests.support.gateway import Bench

DOCUMENT = build(PROTOCOLS, version="1.0.0")
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]

SAMPLES = Path(__file__).parents[2] / "protocol" / "golden" / "channels"


def described() -> Iterator[tuple[ProtocolDoc, MessageDoc]]:
    for protocol in PROTOCOLS:
        for address in protocol.addresses:
            for message in (*address.from_server, *address.from_client):
                yield protocol, message


def refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from refs(value)


async def test_the_gateway_serves_the_document_to_everybody() -> None:
    """S0-6's neighbour."""
    async with Bench().client(token=None) as client:
        reply = await client.get("/asyncapi.json")
    assert reply.headers["content-type"] == "application/json"
    served = reply.json()
    assert served["asyncapi"] == "3.0.0"
    assert served["channels"] == json.loads(json.dumps(DOCUMENT["channels"]))


def test_every_reference_leads_somewhere() -> None:
    found = set(refs(DOCUMENT))
    assert found
    for ref in found:
        here: Any = DOCUMENT
        for key in ref.removeprefix("#/").split("/"):
            assert key in here, ref
            here = here[key]


def test_every_component_is_used() -> None:
    found = set(refs(DOCUMENT))
    for kind in ("messages", "schemas", "securitySchemes"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in found


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_a_payload_that_its_examples_fit(name: str) -> None:
    message = MESSAGES[name]
    assert message["payload"]
    assert message["summary"]
    assert message["examples"]
    validator = payload_validator(DOCUMENT, name)
    for example in message["examples"]:
        validator.validate(example["payload"])


@pytest.mark.parametrize("name", MESSAGES)
def test_a_payload_takes_nothing_but_its_own_message(name: str) -> None:
    """Schemas that took anything would describe nothing."""
    with pytest.raises(jsonschema_rs.ValidationError):
        payload_validator(DOCUMENT, name).validate({})
    if name != "channels.Pong":
        assert MESSAGES[name]["payload"] != {}


def test_the_examples_go_through_the_structs_that_read_and_write() -> None:
    """S1-2 to S1-18: what the document shows is what the code takes and makes."""
    for protocol, message in described():
        shown = MESSAGES[f"{protocol.name}.{message.name}"]["examples"]
        assert len(shown) == len(message.examples)
        for example, instance in zip(shown, message.examples, strict=True):
            read = msgspec.json.decode(json.dumps(example["payload"]), type=message.kind)
            assert json.loads(msgspec.json.encode(read)) == json.loads(msgspec.json.encode(instance))


def test_every_message_struct_of_the_channel_protocol_is_described() -> None:
    """S1-1 to S1-18: a message cannot be forgotten."""
    inner = {"SubscriptionParams", "Fee"}
    structs = {
        name
        for name, value in vars(channel_messages).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    }
    structs = {name for name in structs if name not in inner and not name.endswith("Data")}
    assert structs == {name.partition(".")[2] for name in MESSAGES if name.startswith("channels.")}
    assert set(DOCUMENT["components"]["schemas"]["channels.ChannelName"]["enum"]) == set(ChannelName)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_of_source_1_is_an_example(path: Path) -> None:
    """S1-2 to S1-19: to the letter, but for the clock."""

    def timeless(value: Any) -> Any:
        return {key: part for key, part in value.items() if key != "timestamp"}

    sample = timeless(json.loads(path.read_text("utf-8")))
    shown = [timeless(example["payload"]) for message in MESSAGES.values() for example in message["examples"]]
    # A subscription without parameters may leave them out.
    assert sample in shown or {**sample, "params": {}} in shown


def test_the_server_sends_and_takes_what_the_operations_say() -> None:
    """S1-6, S1-17: client messages are received, their answers are replies."""
    operations = DOCUMENT["operations"]
    assert operations["channels.ws.Subscribe"]["action"] == "receive"
    replies = [item["$ref"].rpartition(".")[2] for item in operations["channels.ws.Subscribe"]["reply"]["messages"]]
    assert replies == ["Subscribed", "ErrorMessage"]
    assert operations["streams.depth.send"]["action"] == "send"
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        "/ws",
        "/ws/ticker/{symbol}",
        "/ws/depth/{symbol}",
        "/ws/user",
        "/ws/{listenKey}",
    }


def test_what_the_server_always_sends_is_required() -> None:
    """S1-6, S1-15: a client may rely on it."""
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas["channels.Subscribed"]["required"]) == {"event", "channels", "params", "timestamp"}
    assert set(schemas["channels.SystemData"]["required"]) == {"exchange", "status", "timestamp"}
    assert "snapshot" not in schemas["streams.DepthMessage"]["required"]
    assert set(schemas["channels.Subscribe"]["required"]) == {"action", "channels"}


def test_no_number_of_a_requirement_stands_in_the_document() -> None:
    """They are for the makers, not for the users."""
    text = json.dumps(DOCUMENT)
    assert "S1-" not in text
    assert "``" not in text
