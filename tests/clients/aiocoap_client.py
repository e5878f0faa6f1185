"""A CoAP client behind pipes: a JSON object per line in, one per line out, in the same order.

In:  {"method": "PUT", "uri": "coap://...", "options": [[NUMBER, "hex"], ...], "payload": "hex" or "cbor": VALUE,
      "content_format": N, "accept": N, "non": BOOL, "block_exponent": 0 to 6, "timeout": SECONDS}; all but the first two may be left out.
Out: {"code": "2.05", "options": [[NUMBER, "hex"], ...], "payload": "hex", "value": VALUE}, where `value` is the
     payload of a CBOR response, decoded; or {"error": "..."}.

The argument, if there is one, is a file of aiocoap's credentials: JSON, or CBOR in diagnostic notation (`.diag`).
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

import aiocoap
import cbor2
import cbor_diag
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.optiontypes import OpaqueOption, OptionType

CBOR = 60


def message_from(request: dict) -> aiocoap.Message:
    tuning = aiocoap.Unreliable if request.get("non") else aiocoap.Reliable
    message = aiocoap.Message(
        code=getattr(aiocoap, request["method"]), uri=request["uri"], transport_tuning=tuning
    )
    if "cbor" in request:
        message.payload = cbor2.dumps(request["cbor"])
    else:
        message.payload = bytes.fromhex(request.get("payload", ""))
    if request.get("content_format") is not None:
        message.opt.content_format = request["content_format"]
    if request.get("accept") is not None:
        message.opt.accept = request["accept"]
    if request.get("block_exponent") is not None:
        message.opt.block1 = (0, False, request["block_exponent"])
    for number, value in request.get("options", []):
        message.opt.add_option(OpaqueOption(OptionNumber(number), bytes.fromhex(value)))
    return message


def hex_from(option: OptionType) -> str:
    try:
        return option.encode().hex()
    except OverflowError:  # aiocoap numbers the first response of an observation with OSCORE -1
        return ""


def json_from(response: aiocoap.Message) -> dict:
    fields = {
        "code": response.code.dotted,
        "options": [[int(option.number), hex_from(option)] for option in response.opt.option_list()],
        "payload": response.payload.hex(),
    }
    if response.opt.content_format is not None and int(response.opt.content_format) == CBOR:
        fields["value"] = cbor2.loads(response.payload)
    return fields


async def exchange(context: aiocoap.Context, request: dict) -> dict:
    try:
        response = await asyncio.wait_for(context.request(message_from(request)).response, request.get("timeout", 30))
        return json_from(response)
    except Exception as error:  # whatever it is, the test wants to see it
        return {"error": f"{type(error).__name__}: {error}"}


def add_credentials(context: aiocoap.Context, arguments: list[str]) -> None:
    for file in map(Path, arguments):
        text = file.read_text()
        credentials = cbor2.loads(cbor_diag.diag2cbor(text)) if file.suffix == ".diag" else json.loads(text)
        context.client_credentials.load_from_dict(credentials)


async def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    context = await aiocoap.Context.create_client_context()
    add_credentials(context, sys.argv[1:])
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await exchange(context, json.loads(line))), flush=True)
    await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
