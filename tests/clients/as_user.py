"""Connects to a gateway's socket as another user, says TEXT and listens: `as_user.py SOCKET UID TEXT`, started by root.

Prints the first line that the gateway says, or the error of connecting. At its control socket it speaks first to those whom it
refuses, and only to them: there TEXT is empty.
"""

import os
import socket
import sys

path, uid, text = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.settimeout(3)
try:
    connection.connect(path)
    try:
        connection.sendall(text.encode())
    except BrokenPipeError:
        pass  # It has refused us already, and said so.
    print(connection.makefile().readline().strip(), flush=True)
except OSError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
