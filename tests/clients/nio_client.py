"""matrix-nio behind pipes, with its HTTP replaced: a JSON object per line in, one per line out, in the same order.

In:  {"call": "room_send", "arguments": {...}}, a method of nio's `AsyncClient` and its arguments.
Out: {"response": "RoomSendResponse", "status": 200, "content_type": "...", "body": JSON, "hex": "...", "bytes": N};
     `response` is nio's class, `body` what it was made of (`hex` if that is no JSON), `bytes` those by curl.
     {"error": "..."} if nio raises an exception.

Arguments: the user, then how requests travel: `coap URI TABLES [CREDENTIALS]`, where TABLES is a folder of the
proposal's tables; or `curl ORIGIN` or `curl-gzip ORIGIN`.
"""

import asyncio
import inspect
import json
import logging
import sys
from pathlib import Path

import aiocoap
import nio
from aiocoap_client import add_credentials
from by_curl import Curl
from low_bandwidth import Answer, Session, Tables


class Transported:
    """What nio reads of an HTTP response of aiohttp."""

    content_disposition = None

    def __init__(self, answer: Answer) -> None:
        self.status, self.content_type, self.headers = answer.status, answer.content_type, answer.headers
        self.body = answer.body

    async def read(self) -> bytes:
        return self.body

    async def text(self) -> str:
        return self.body.decode()

    async def json(self) -> object:
        return json.loads(self.body)


class Client(nio.AsyncClient):
    """nio's client; only the transport is ours."""

    def __init__(self, user: str, transport: Session | Curl) -> None:
        # Its own repetitions would hide what a device gets.
        config = nio.AsyncClientConfig(max_limit_exceeded=0, max_timeouts=0, encryption_enabled=False)
        super().__init__("http://homeserver", user, config=config)
        self.transport = transport
        self.last: Transported | None = None

    async def send(self, method, path, data=None, headers=None, trace_context=None, timeout=None):  # noqa: ASYNC109
        self.last = Transported(await self.transport.exchange(method.upper(), path, headers or {}, await whole(data)))
        return self.last


async def whole(data: object) -> bytes:
    """The body: nio gives text, bytes, or an iterable of an upload."""
    if data is None:
        return b""
    if hasattr(data, "__aiter__"):
        return b"".join([part async for part in data])
    return data.encode() if isinstance(data, str) else bytes(data)


def arguments(call: dict) -> dict:
    given = dict(call.get("arguments", {}))
    if "upload" in given:
        content = bytes.fromhex(given.pop("upload"))
        given |= {"data_provider": lambda *_: parts(content), "filesize": len(content)}
    if "preset" in given:
        given["preset"] = nio.RoomPreset(given["preset"])
    if "receipt_type" in given:
        given["receipt_type"] = nio.ReceiptType(given["receipt_type"])
    return given


async def parts(content: bytes):
    yield content


async def answer(client: Client, call: dict) -> dict:
    client.last = None
    before = getattr(client.transport, "bytes", 0)
    try:
        outcome = getattr(client, call["call"])(**arguments(call))
        outcome = await outcome if inspect.isawaitable(outcome) else outcome
    except Exception as error:  # whatever it is, the test wants to see it
        return {"error": f"{type(error).__name__}: {error}"}
    response = outcome[0] if isinstance(outcome, tuple) else outcome
    fields = {"response": type(response).__name__, "bytes": getattr(client.transport, "bytes", 0) - before}
    if client.last is not None:
        fields |= {"status": client.last.status, "content_type": client.last.content_type}
        fields |= {"headers": dict(client.last.headers)}
        try:
            fields["body"] = json.loads(client.last.body)
        except ValueError:
            fields["hex"] = client.last.body.hex()
    fields["rooms"] = sorted(client.rooms)
    return fields


async def transport(kind: str, address: str, rest: list[str]) -> Session | Curl:
    if kind != "coap":
        return Curl(address, compressed=kind == "curl-gzip")
    context = await aiocoap.Context.create_client_context()
    add_credentials(context, rest[1:])
    return Session(context, address, Tables(Path(rest[0])))


async def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    user, kind, address, *rest = sys.argv[1:]
    client = Client(user, await transport(kind, address, rest))
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await answer(client, json.loads(line))), flush=True)
    await client.close()
    await client.transport.close()


if __name__ == "__main__":
    asyncio.run(main())
