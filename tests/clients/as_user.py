"""Connects to a gateway's control socket as another user and listens: `as_user.py SOCKET UID`, started by root.

Prints what the gateway says before any command, or the error of connecting: a line either way. It speaks first only to
those whom it refuses.
"""

import os
import socket
import sys

path, uid = sys.argv[1], int(sys.argv[2])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.settimeout(3)
try:
    connection.connect(path)
    print(connection.makefile().readline().strip(), flush=True)
except OSError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
