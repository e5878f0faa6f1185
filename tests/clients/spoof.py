"""Floods a gateway with a datagram from forged addresses, over a link of this network namespace that nobody else is on.

Arguments: the interface of the outer world, the hardware address of the gateway's, the gateway's IPv4 address and port,
datagrams per second, seconds, and the datagram in hexadecimal digits.

Each datagram has another source address, of 11.0.0.0/8. What the gateway sends to one of them arrives at the interface
and is counted. Prints one JSON object: `sent` and `received` datagrams, and `amplification`: the most bytes that an
address got for each byte that it seemed to send.
"""

import json
import socket
import struct
import sys
import time

IPV4 = 0x0800
UDP = 17
PORT = 40_000
TICK = 0.001  # bursts stay small
SETTLE = 0.5  # responses that are still on their way


def checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(ethernet: bytes, source: bytes, gateway: bytes, port: int, payload: bytes) -> bytes:
    # No checksum of UDP: IPv4 has none if it is zero (RFC 768).
    datagram = struct.pack("!HHHH", PORT, port, 8 + len(payload), 0) + payload
    parts = (0x45, 0, 20 + len(datagram), 0, 0, 64, UDP)
    header = struct.pack("!BBHHHBBH", *parts, 0) + source + gateway
    header = struct.pack("!BBHHHBBH", *parts, checksum(header)) + source + gateway
    return ethernet + header + datagram


class Link:
    def __init__(self, interface: str) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(IPV4))
        self.socket.bind((interface, IPV4))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.setblocking(False)
        self.received: dict[bytes, int] = {}
        self.count = 0

    def take(self) -> None:
        while True:
            try:
                data, (_, _, kind, _, _) = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            if kind == socket.PACKET_OUTGOING or data[14 + 9] != UDP:
                continue
            length = struct.unpack_from("!H", data, 14 + 20 + 4)[0] - 8
            forged = data[14 + 16 : 14 + 20]
            self.received[forged] = self.received.get(forged, 0) + length
            self.count += 1


def main() -> None:
    interface, hardware, address, port, pace, seconds, digits = sys.argv[1:]
    payload = bytes.fromhex(digits)
    gateway = socket.inet_aton(address)
    link = Link(interface)
    target = bytes.fromhex(hardware.replace(":", ""))
    ethernet = target + link.socket.getsockname()[4] + struct.pack("!H", IPV4)
    sent = 0
    began = time.monotonic()
    while (passed := time.monotonic() - began) < float(seconds):
        while sent < float(pace) * passed:
            source = struct.pack("!I", (11 << 24) + sent + 1)
            link.socket.send(frame(ethernet, source, gateway, int(port), payload))
            sent += 1
        link.take()
        time.sleep(TICK)
    time.sleep(SETTLE)
    link.take()
    most = max(link.received.values(), default=0) / len(payload)
    print(json.dumps({"sent": sent, "received": link.count, "amplification": most}))


main()
