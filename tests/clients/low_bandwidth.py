"""Low-bandwidth Matrix (MSC3079) as a device speaks it: HTTP requests of the client API as CoAP messages, and back.

It shares nothing with the gateway but the proposal's two tables, which it reads from a folder.
"""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import aiocoap
import cbor2
from aiocoap.numbers.contentformat import ContentFormat
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.optiontypes import OpaqueOption

ACCESS_TOKEN = OptionNumber(256)
KEY_VERSION = OptionNumber(257)
CBOR, JSON = 60, 50
# The table has the paths of r0. Later versions of the specification renamed these, and changed nothing else.
VERSIONS = ("/_matrix/client/v3/", "/_matrix/client/r0/")
# RFC 7252 §10, backwards, with the decisions of the rule: its answer to a 200 is 2.05.
STATUS = {
    "2.01": 201, "2.02": 200, "2.04": 200, "2.05": 200, "4.00": 400, "4.01": 401, "4.03": 403, "4.04": 404,
    "4.05": 405, "4.13": 413, "4.29": 429, "5.00": 500, "5.02": 502, "5.03": 503, "5.04": 504,
}  # fmt: skip


@dataclass
class Answer:
    """A response of the client API, however it came."""

    status: int
    content_type: str
    body: bytes
    headers: dict = field(default_factory=dict)


class Tables:
    """Path codes and CBOR keys."""

    def __init__(self, folder: Path) -> None:
        with (folder / "paths-v1.csv").open() as file:
            self.paths = [(row["code"], row["path"].split("/")[1:]) for row in csv.DictReader(file)]
        with (folder / "keys-v1.csv").open() as file:
            self.keys = {row["name"]: int(row["key"]) for row in csv.DictReader(file)}
        self.names = {key: name for name, key in self.keys.items()}

    def segments(self, path: str) -> list[str]:
        """The Uri-Path of an HTTP path: by its code where it has one."""
        raw = [unquote(segment) for segment in path.replace(*VERSIONS).split("/")[1:]]
        for code, pattern in self.paths:
            # nio leaves an empty state key out.
            given = raw + [""] if pattern[-1] == "{stateKey}" and len(raw) == len(pattern) - 1 else raw
            pairs = list(zip(pattern, given))
            if len(pattern) == len(given) and all(known == text or known[:1] == "{" for known, text in pairs):
                return [code] + [text for known, text in pairs if known[:1] == "{"]
        return [unquote(segment) for segment in path.split("/")[1:]]

    def shortened(self, value: object) -> object:
        """With integer keys, at every depth."""
        if isinstance(value, dict):
            return {self.keys.get(key, key): self.shortened(below) for key, below in value.items()}
        return [self.shortened(below) for below in value] if isinstance(value, list) else value

    def expanded(self, value: object) -> object:
        """With names, at every depth."""
        if isinstance(value, dict):
            return {self.names.get(key, key): self.expanded(below) for key, below in value.items()}
        return [self.expanded(below) for below in value] if isinstance(value, list) else value


class Session:
    """Requests of one device. Where the gateway keeps a session (coaps), options that it remembers are left out."""

    def __init__(self, context: aiocoap.Context, gateway: str, tables: Tables) -> None:
        self.context, self.gateway, self.tables = context, gateway, tables
        self.remembers = gateway.startswith("coaps:")
        self.remembered: dict[OptionNumber, bytes] = {}

    def sticky(self, message: aiocoap.Message, number: OptionNumber, value: bytes) -> None:
        if not (self.remembers and self.remembered.get(number) == value):
            message.opt.add_option(OpaqueOption(number, value))
            self.remembered[number] = value

    def message(self, method: str, target: str, headers: dict, body: bytes) -> aiocoap.Message:
        url = urlsplit(target)
        message = aiocoap.Message(code=getattr(aiocoap, method), uri=self.gateway)
        message.opt.uri_path = self.tables.segments(url.path)
        message.opt.uri_query = [f"{name}={value}" for name, value in parse_qsl(url.query, keep_blank_values=True)]
        if token := headers.get("Authorization", "").removeprefix("Bearer "):
            self.sticky(message, ACCESS_TOKEN, token.encode())
        self.sticky(message, KEY_VERSION, b"\x01")
        if body and headers.get("Content-Type") == "application/json":
            message.payload = cbor2.dumps(self.tables.shortened(json.loads(body)))
            message.opt.content_format = CBOR
        elif body:
            message.payload = body
            kind = headers["Content-Type"]
            # CoAP has a number of text in UTF-8 alone.
            kind = "text/plain; charset=utf-8" if kind == "text/plain" else kind
            message.opt.content_format = ContentFormat.by_media_type(kind)
        return message

    def answer(self, response: aiocoap.Message) -> Answer:
        code = response.code.dotted
        # Codes without a status of HTTP, such as 4.02, are those of their class.
        status = STATUS.get(code, 100 * int(code[0]))
        headers = {}
        if status in (429, 503) and response.opt.max_age is not None:
            headers["Retry-After"] = str(response.opt.max_age)
        format = response.opt.content_format
        if format is not None and int(format) == CBOR:
            body = json.dumps(self.tables.expanded(cbor2.loads(response.payload))).encode()
            return Answer(status, "application/json", body, headers)
        if format is not None:
            return Answer(status, format.media_type.partition(";")[0], response.payload, headers)
        if status < 300:
            # CoAP has no number of the type.
            return Answer(status, "application/octet-stream", response.payload, headers)
        # A diagnostic payload (RFC 7252 §5.5.2), which is the gateway's word and not the homeserver's.
        error = {"errcode": "M_UNKNOWN", "error": response.payload.decode()}
        return Answer(status, "application/json", json.dumps(error).encode(), headers)

    async def exchange(self, method: str, target: str, headers: dict, body: bytes) -> Answer:
        message = self.message(method, target, headers, body)
        response = await self.context.request(message).response
        return self.answer(response)

    async def close(self) -> None:
        await self.context.shutdown()
