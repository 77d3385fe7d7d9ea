"""The admin API of the server under test, as far as neighbours need it."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from olaf_client import DEADLINE, Wrong

Json = dict[str, Any]


class Admin:
    def __init__(self, address: str, token: str) -> None:
        self.base, self.token = f"http://{address}/api/v1", token

    def _call(self, method: str, path: str, body: Json | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=DEADLINE) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            raise Wrong(f"{method} {path} is answered with {error.code}: {text[:300]}") from None
        return json.loads(text) if text else None

    async def call(self, method: str, path: str, body: Json | None = None) -> Any:
        return await asyncio.to_thread(self._call, method, path, body)

    async def server(self) -> Json:
        return await self.call("GET", "/server")

    async def add(self, peer: Json) -> str:
        """Adds a neighbour and returns its id."""
        added = await self.call("POST", "/peers", peer)
        return str(added["id"])

    async def remove(self, peer: str) -> None:
        await self.call("DELETE", f"/peers/{peer}")

    async def retry(self, peer: str) -> None:
        await self.call("POST", f"/peers/{peer}/retry")

    async def peer(self, peer: str) -> Json:
        return await self.call("GET", f"/peers/{peer}")

    async def until(self, peer: str, wanted: Callable[[Json], bool], what: str) -> Json:
        """Asks about a neighbour until it is as `wanted`."""
        deadline = time.monotonic() + DEADLINE
        while True:
            view = await self.peer(peer)
            if wanted(view):
                return view
            if time.monotonic() > deadline:
                raise Wrong(f"waited {DEADLINE:.0f} s for {what}; the neighbour is {json.dumps(view)}")
            await asyncio.sleep(0.02)  # between two questions
