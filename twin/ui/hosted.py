"""What a deployment's server does besides the pages: opens the application at its start, says when it is ready."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from twin import ui, views
from twin.errors import TwinError
from twin.ui import session
from twin.views.app import App

_refused: list[str] = []


def opens(opener: Callable[[], App]) -> Callable[[Any], Any]:
    """A lifespan that opens the application with the server, before anybody looks, and closes it with it."""

    @asynccontextmanager
    async def lifespan(_server: Any) -> AsyncIterator[None]:
        session.provide(opener)
        opening = asyncio.get_running_loop().run_in_executor(None, _open)
        yield
        await opening
        if (
            session.is_open()
        ):  # the server ends by the signal itself, so nothing later would write the last checkpoint
            await asyncio.get_running_loop().run_in_executor(None, session.app().close)

    return lifespan


def _open() -> None:
    _refused.clear()
    try:
        session.app()
    except TwinError as error:  # the pages say it too, and try again with every visit
        _refused.append(str(error))
    load_pages()


def load_pages() -> None:
    """Import all that pages import: a third of a second which the first visitor would look at an empty page."""
    for package in (ui, views):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


async def ready(_request: Request) -> PlainTextResponse:
    """200 while the pages can show what the store has, else 503; the reason in the body."""
    is_ready, why = await asyncio.get_running_loop().run_in_executor(None, readiness)
    return PlainTextResponse(why if is_ready else f"not ready: {why}", status_code=200 if is_ready else 503)


def readiness() -> tuple[bool, str]:
    """Asks the application that is open; never opens one, so that a probe cannot pile up work."""
    if not session.is_open():
        return False, _refused[-1] if _refused else "the application is opening"
    return session.app().readiness()


ROUTES = [Route("/ready", ready)]
