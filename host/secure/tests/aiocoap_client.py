"""A device with aiocoap, which shares no code with the gateway: aiocoap_client.py HOST:PORT CREDENTIALS_FOLDER

GET, PUT in blocks, GET of the same in blocks, an error, and an observation, all protected with OSCORE."""

import asyncio
import sys

from aiocoap import GET, PUT, Context, Message

SECONDS = 20


async def main(host, folder):
    context = await Context.create_client_context()
    context.client_credentials.load_from_dict(
        {f"coap://{host}/*": {"oscore": {"basedir": folder}}}
    )

    async def request(path, **fields):
        message = Message(uri=f"coap://{host}{path}", **fields)
        return await asyncio.wait_for(context.request(message).response, SECONDS)

    time = await request("/time", code=GET)
    print("time", time.code)
    body = bytes(range(256)) * 20
    print("put", (await request("/body", code=PUT, payload=body)).code)
    got = await request("/body", code=GET)
    print("get", got.code, got.payload == body)
    print("nowhere", (await request("/nowhere", code=GET)).code)

    message = Message(code=GET, uri=f"coap://{host}/time", observe=0)
    observing = context.request(message)
    times = [(await asyncio.wait_for(observing.response, SECONDS)).payload]
    async for notification in observing.observation:
        times.append(notification.payload)
        if len(times) == 4:
            break
    print("observed", len(set(times)))
    await context.shutdown()


asyncio.run(main(sys.argv[1], sys.argv[2]))
