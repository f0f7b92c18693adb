"""Stands before an S3, passes its bytes on, and spoils them as a file says.

    spoiler.py ADDRESS PORT UPSTREAM_PORT MODE_FILE     until it is killed

The mode is looked at anew for each answer:

    none            passed on
    unavailable     503 SlowDown, without asking upstream
    slow            a kilobyte every 200 ms
    truncated       half of the body, then the connection is closed
    reset           the same, then it is reset
    flipped         one bit of the body is another one
    nonsense        an answer that is no HTTP

A connection serves one request.
"""

import asyncio
import pathlib
import re
import socket
import struct
import sys

BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n" \
       b"<Error><Code>SlowDown</Code><Message>on purpose</Message></Error>"


EXPECTS = re.compile(rb"(?i)\r\nexpect: *100-continue")


async def read_request(reader, writer):
    """Head and body.  Who asks whether to send the body is told at once, in upstream's place."""
    head = await reader.readuntil(b"\r\n\r\n")
    if EXPECTS.search(head):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        head = EXPECTS.sub(b"", head)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def reset(writer):
    """With what is still unsent thrown away: RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Spoiler:
    def __init__(self, upstream, mode):
        self.upstream = upstream
        self.mode = pathlib.Path(mode)

    async def serve(self, reader, writer):
        try:
            await self.answer(*await read_request(reader, writer), writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def answer(self, head, body, writer):
        mode = self.mode.read_text()
        if mode == "unavailable":
            writer.write(BUSY)
        elif mode == "nonsense":
            writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 8)
        else:
            head, body = await self.ask(head, body)
            writer.write(head)
            await self.pass_on(mode, body, writer)

    async def ask(self, head, body):
        """Head and body of upstream's answer, which ends with its connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
        answer = await reader.read(-1)
        writer.close()
        head, end, body = answer.partition(b"\r\n\r\n")
        return head + end, body

    async def pass_on(self, mode, body, writer):
        if mode in ("truncated", "reset"):
            writer.write(body[:len(body) // 2])
            await writer.drain()
            if mode == "reset":
                await asyncio.sleep(0.02)
                reset(writer)
            return
        if mode == "flipped" and body:
            at = len(body) // 2
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        if mode == "slow":
            for at in range(0, len(body), 1024):
                writer.write(body[at:at + 1024])
                await writer.drain()
                await asyncio.sleep(0.2)
        else:
            writer.write(body)
        await writer.drain()


async def main():
    address, port, upstream, mode = sys.argv[1:]
    server = await asyncio.start_server(Spoiler(int(upstream), mode).serve, address, int(port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
