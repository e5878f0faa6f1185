"""The same requests by curl: HTTP/1.1 to the homeserver, with the bytes of each, as curl counts them.

Each request is a process of its own. The bytes are those of a kept connection all the same: a client of HTTP/1.1 sends
no header for it, and a connection's beginning is not counted.
"""

import asyncio
import tempfile
from pathlib import Path

from low_bandwidth import Answer

COUNTS = ("size_request", "size_upload", "size_header", "size_download")


class Curl:
    """Requests by curl; with or without `Accept-Encoding`."""

    def __init__(self, origin: str, compressed: bool) -> None:
        self.origin, self.compressed = origin, compressed
        self.bytes = 0

    async def exchange(self, method: str, target: str, headers: dict, body: bytes) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            head, content, sent = (Path(folder) / name for name in ("head", "content", "sent"))
            sent.write_bytes(body)
            words = ["curl", "--silent", "--show-error", "--http1.1", "--noproxy", "*", "--request", method]
            words += ["--dump-header", str(head), "--output", str(content)]
            words += ["--write-out", " ".join(f"%{{{name}}}" for name in COUNTS)]
            for name, value in headers.items():
                if body or name != "Content-Type":
                    words += ["--header", f"{name}: {value}"]
            words += ["--data-binary", f"@{sent}"] if body else []
            words += ["--header", "Accept-Encoding: gzip", "--compressed"] if self.compressed else []
            process = await asyncio.create_subprocess_exec(*words, self.origin + target, stdout=asyncio.subprocess.PIPE)
            counts, _ = await process.communicate()
            if process.returncode != 0:
                raise ConnectionError(f"curl ended with {process.returncode}")
            self.bytes += sum(map(int, counts.split()))
            return self.answer(head.read_bytes().decode(), content.read_bytes() if content.exists() else b"")

    def answer(self, head: str, body: bytes) -> Answer:
        # An interim response (100 Continue) may come first.
        lines = head.strip().split("\r\n\r\n")[-1].split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        names = {name.lower(): value for name, value in fields.items()}
        content_type = names.get("content-type", "application/json").partition(";")[0]
        return Answer(int(lines[0].split(" ")[1]), content_type, body, names)

    async def close(self) -> None:
        """Nothing is open."""
