"""A TCP proxy that makes a good network a bad one: slow, cut, stalled, away. Forwards bytes and knows no protocol."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable


class Proxy:
    """Listens on 127.0.0.1:`port` and forwards to `target`; the fields may be changed while it runs.

    latency_s    every piece waits so long, in each direction
    reset_share  of the pieces, each cuts its connection
    is_stalled   connections stay open and nothing passes
    is_away      connections are cut and new ones closed at once
    """

    def __init__(self, target: tuple[str, int], seed: int) -> None:
        self._target = target
        self._rng = random.Random(seed)
        self.latency_s = 0.0
        self.reset_share = 0.0
        self.is_stalled = False
        self._is_away = False
        self.resets = 0
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(10.0), "the proxy did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._is_away = True
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)

    @property
    def is_away(self) -> bool:
        return self._is_away

    @is_away.setter
    def is_away(self, value: bool) -> None:
        self._is_away = value
        if value:
            self.cut()

    def cut(self) -> None:
        """Reset every connection there is."""
        done = threading.Event()

        def now() -> None:
            for writer in list(self._open):
                writer.transport.abort()
            done.set()

        self._loop.call_soon_threadsafe(now)
        done.wait(5.0)

    def be_good(self) -> None:
        self.latency_s = self.reset_share = 0.0
        self.is_stalled = self._is_away = False

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda _loop, _context: None)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_away:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._open |= both
        try:
            await _first_of(self._pass(reader, far_writer), self._pass(far_reader, writer))
        finally:
            for end in both:
                end.transport.abort()
            self._open -= both

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                while self.is_stalled:
                    await asyncio.sleep(0.05)
                if self.latency_s:
                    await asyncio.sleep(self.latency_s)
                if self.reset_share and self._rng.random() < self.reset_share:
                    self.resets += 1
                    return
                writer.write(piece)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return


async def _first_of(*ways: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
