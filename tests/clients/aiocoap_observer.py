"""An observation by aiocoap (RFC 7641): the request as a JSON argument, a JSON object per notification on standard output.

The first argument is what `aiocoap_client.py` takes as a line, and so is each line out. It ends when standard input does, without
telling the server: as a device that lost its power. A second argument is a file of aiocoap's credentials.
"""

import asyncio
import json
import sys

import aiocoap
from aiocoap_client import add_credentials, json_from, message_from


async def observe(context: aiocoap.Context, request: dict) -> None:
    message = message_from(request)
    message.opt.observe = 0
    exchange = context.request(message)
    try:
        print(json.dumps(json_from(await exchange.response)), flush=True)
        async for notification in exchange.observation:
            print(json.dumps(json_from(notification)), flush=True)
    except Exception as error:  # whatever it is, the test wants to see it
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)


async def main() -> None:
    context = await aiocoap.Context.create_client_context()
    add_credentials(context, sys.argv[2:])
    observing = asyncio.create_task(observe(context, json.loads(sys.argv[1])))
    await asyncio.to_thread(sys.stdin.read)
    observing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
