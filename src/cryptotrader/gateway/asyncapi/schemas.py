"""JSON schemas of messages, from the structs that read and write them.

AsyncAPI's own schemas are those of JSON Schema draft 7 and a little more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_origin

import msgspec
from msgspec import inspect
from msgspec.structs import FieldInfo

from cryptotrader.dialects.description import MessageDoc
from cryptotrader.gateway.openapi.document import simple
from cryptotrader.gateway.openapi.schemas import Schema

REF = "#/components/schemas/{name}"

_REQUIREMENTS = re.compile(r"\s*\(?\b[SC]\d?-\d+(?:(?: to |, |; | and )[SC]\d?-\d+)*\)?")
"""Numbers of requirements, which tell a reader of the document nothing."""


def message_schemas(prefix: str, messages: Iterable[MessageDoc], *, is_sent: bool) -> tuple[list[Schema], Schema]:
    """Schemas of payloads, and the components that they refer to.

    Args:
        prefix: Stands before the names of components, with a dot.
        messages: What is described.
        is_sent: Whether the server writes them: then every field is there, unless the struct leaves defaults out.
    """
    kinds = [wire_type(message) for message in messages]
    payloads, components = msgspec.json.schema_components(kinds, ref_template=REF.format(name=f"{prefix}.{{name}}"))
    structs = {item.cls.__name__: item.cls for kind in kinds for item in _structs(inspect.type_info(kind))}
    done = {}
    for name, schema in components.items():
        cls = structs.get(name)
        done[f"{prefix}.{name}"] = simple(_plain(schema) if cls is None else _of_struct(schema, cls, is_sent=is_sent))
    return [dict(payload) for payload in payloads], done


def wire_type(message: MessageDoc) -> type[msgspec.Struct]:
    """The struct with what is on the wire: raw fields with the type of what they hold, nothing that is hidden."""
    if not message.holds and not message.hides:
        return message.kind
    config = message.kind.__struct_config__
    fields = [item for item in msgspec.structs.fields(message.kind) if item.name not in message.hides]
    return msgspec.defstruct(
        message.name,
        [_field(item, message.holds.get(item.name, item.type), is_held=item.name in message.holds) for item in fields],
        namespace={"__doc__": message.kind.__doc__},
        module=message.kind.__module__,
        tag=config.tag,
        tag_field=config.tag_field,
        omit_defaults=config.omit_defaults,
        kw_only=True,
    )


def telling(cls: type[msgspec.Struct]) -> list[str]:
    """Fields that say which message it is: they can have one value only, or a few."""
    fields = msgspec.structs.fields(cls)
    literal = {item.encode_name for item in fields if get_origin(item.type) is Literal and not item.required}
    return [name for name in ("channel", "type", "event") if name in literal]


def _field(item: FieldInfo, kind: Any, *, is_held: bool) -> tuple[str, Any, Any]:
    if item.required:
        return item.name, kind, msgspec.field(name=item.encode_name)
    if is_held:
        return item.name, kind | msgspec.UnsetType, msgspec.field(default=msgspec.UNSET, name=item.encode_name)
    if item.default is not msgspec.NODEFAULT:
        return item.name, kind, msgspec.field(default=item.default, name=item.encode_name)
    return item.name, kind, msgspec.field(default_factory=item.default_factory, name=item.encode_name)


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Every struct in a type."""
    match kind:
        case inspect.StructType(fields=fields):
            yield kind
            for item in fields:
                yield from _structs(item.type)
        case inspect.UnionType(types=types):
            for part in types:
                yield from _structs(part)
        case inspect.ListType(item_type=part) | inspect.VarTupleType(item_type=part):
            yield from _structs(part)
        case inspect.TupleType(item_types=types):
            for part in types:
                yield from _structs(part)
        case inspect.Metadata(type=part):
            yield from _structs(part)
        case _:
            return


def _of_struct(schema: Schema, cls: type[msgspec.Struct], *, is_sent: bool) -> Schema:
    done = _plain(schema)
    properties: Schema = {name: dict(part) for name, part in done["properties"].items()}
    for item in msgspec.structs.fields(cls):
        if item.encode_name != item.name:
            properties[item.encode_name]["title"] = item.name.replace("_", " ")
    first = telling(cls)
    done["properties"] = {name: properties[name] for name in (*first, *properties)}
    if is_sent:
        for part in properties.values():
            part.pop("default", None)
        if not cls.__struct_config__.omit_defaults:
            unset = {item.encode_name for item in msgspec.structs.fields(cls) if item.default is msgspec.UNSET}
            done["required"] = [name for name in properties if name not in unset]
    return done


def _plain(schema: Schema) -> Schema:
    """With a description for readers of the document."""
    done = {key: value for key, value in schema.items() if key != "description"}
    text = plain_text(schema.get("description", ""))
    return {**done, "description": text} if text else done


def plain_text(docstring: str) -> str:
    """A docstring's first paragraph, without numbers of requirements."""
    first = " ".join(docstring.partition("\n\n")[0].split()).replace("``", "`")
    return _REQUIREMENTS.sub("", first).strip().removeprefix(".").strip()
