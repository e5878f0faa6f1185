"""Asks the groups "All CoAP Nodes" of IPv6 for what there is, in a network of its own:

    unshare --net --map-root-user python multicast6.py GATEWAY CONFIGURATION STATE_FOLDER

Loopback carries no multicast of IPv6, so two virtual interfaces stand for the link. Prints, for each group, the group, the
interface-local address that responded, and the response in hexadecimal.
"""

import socket
import subprocess
import sys

PORT = 5683
# NON GET /.well-known/core, token "m".
DISCOVERY = bytes.fromhex("510100016dbb") + b".well-known" + b"\x04core"
# Leisure is 5 s (RFC 7252, 8.2).
PATIENCE = 8


def link():
    for command in (
        "ip link add radio type veth peer name mesh",
        "ip link set lo up",
        "ip link set radio up",
        "ip link set mesh up",
        # Without waiting for others to object: nobody else is here.
        "ip -6 addr add fe80::1/64 dev mesh nodad",
        "ip -6 addr add fe80::2/64 dev radio nodad",
    ):
        subprocess.run(command.split(), check=True)


def ask(group):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as device:
        interface = socket.if_nametoindex("radio")
        device.bind(("fe80::2", 0, 0, interface))
        device.settimeout(PATIENCE)
        device.sendto(DISCOVERY, (group, PORT, 0, interface))
        response, source = device.recvfrom(2048)
        print(group, source[0], response.hex(), flush=True)


def main():
    link()
    gateway = subprocess.Popen(
        [sys.argv[1], "--config", sys.argv[2], "--state-dir", sys.argv[3]],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert gateway.stdout.readline().startswith("listening on "), "the gateway listens"
        for group in ("ff02::fd", "ff05::fd"):
            ask(group)
    finally:
        gateway.terminate()
        gateway.wait(20)


main()
