"""The file door: what the readers of every known server's answer need, and what it must not give.

Only the standard library, so that the requests are the ones a plain program makes.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote, urlsplit

from olaf_client import DEADLINE, Wrong
from olaf_scene import Check, Scene

PATH = "/api/upload"
PAYLOAD = b"<script>alert(1)</script>\x00\xff\r\n--boundary\r\n" + bytes(range(256))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage | dict[str, str]
    body: bytes


def _request(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
             ) -> Answer:
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=DEADLINE)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        try:
            line.request(method, target, body if method == "POST" else None, headers or {})
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may refuse a long body before it is sent: the answer is what counts
        response = line.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        line.close()


def _form(field: str, name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """A browser's form: a plain field first, then the file."""
    edge = f"----kit{secrets.token_hex(8)}"
    head = (f'--{edge}\r\nContent-Disposition: form-data; name="note"\r\n\r\nno file\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: text/html\r\n\r\n")
    body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def _raw(name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    return content, {"Content-Type": "application/octet-stream", "x-filename": name}


def _post(scene: Scene, request: tuple[bytes, dict[str, str]]) -> Answer:
    return _request("POST", f"{scene.world.http}{PATH}", *request)


def _url(answer: Answer) -> str:
    """The one URL that stands in all three places."""
    if answer.status != 200:
        raise Wrong(f"status {answer.status}: {answer.body[:120]!r}")
    body = json.loads(answer.body)
    urls = {body["file_url"], body["body"]["file_url"], body["response"]["body"]["file_url"]}
    if len(urls) != 1:
        raise Wrong(f"different URLs in one answer: {urls}")
    url = str(urls.pop())
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise Wrong(f"not an absolute URL: {url}")
    return url


def _fetch(url: str, content: bytes) -> None:
    got = _request("GET", url)
    if got.status != 200 or got.body != content:
        raise Wrong(f"GET answers {got.status} with {len(got.body)} of {len(content)} bytes")
    disposition = got.headers.get("Content-Disposition") or ""
    if not disposition.lower().startswith("attachment"):
        raise Wrong(f"Content-Disposition is {disposition!r}")
    if (got.headers.get("X-Content-Type-Options") or "").lower() != "nosniff":
        raise Wrong("no X-Content-Type-Options: nosniff")


def _upload(kind: str, name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    if kind == "raw":
        return _raw(name, content)
    return _form("file" if kind == "multipart" else "attachment", name, content)


def round_trip(kind: str, scene: Scene) -> None:
    """What goes up comes down, as an attachment."""
    content = PAYLOAD + secrets.token_bytes(32)
    _fetch(_url(_post(scene, _upload(kind, "page.html", content))), content)


def names(scene: Scene) -> None:
    """Nobody can guess a file by its name, and equal names do not meet."""
    contents = [secrets.token_bytes(64) for _ in range(2)]
    urls = [_url(_post(scene, _upload("multipart", "holiday-photo.html", content)))
            for content in contents]
    for url, content in zip(urls, contents, strict=True):
        _fetch(url, content)
    first, second = ([unquote(part) for part in urlsplit(url).path.split("/")] for url in urls)
    secret = [one for one, two in zip(first, second, strict=False)
              if one != two and "holiday-photo" not in one]
    if not any(len(part.split(".")[0]) >= 16 for part in secret):
        raise Wrong(f"no unguessable part in {urls[0]}")


def wicked_names(scene: Scene) -> None:
    """A name is never a path, a header or a reason to fail."""
    for name in ("../../../../etc/passwd", "..%2f..%2fx", "a" * 1000, "ü 😀.html", ".", "CON"):
        content = secrets.token_bytes(16)
        headers = {"x-filename": name.encode("utf-8").decode("latin-1")}
        url = _url(_post(scene, (content, headers)))
        if ".." in unquote(urlsplit(url).path):
            raise Wrong(f"the path climbs: {url}")
        _fetch(url, content)


def missing(scene: Scene) -> None:
    """No such file, no such answer."""
    url = _url(_post(scene, _upload("raw", "x.bin", b"x")))
    got = _request("GET", url[:-12] + "000000000000")
    if got.status != 404:
        raise Wrong(f"a file that does not exist answers {got.status}")


def empty(scene: Scene) -> None:
    """Nothing to store is a bad request, in a form or without one."""
    edge = "kit"
    form = (f"--{edge}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={edge}"})
    for what, request in {"an empty body": (b"", {}), "an empty form": form}.items():
        status = _post(scene, request).status
        if status != 400:
            raise Wrong(f"{what} answers {status}")


def too_large(kind: str, scene: Scene) -> None:
    """Over the limit is 413."""
    limit = scene.world.max_upload
    assert limit is not None
    answer = _post(scene, _upload(kind, "big.bin", bytes(limit + 1)))
    if answer.status != 413:
        raise Wrong(f"{limit + 1} bytes answer {answer.status}")


def checks(limited: bool) -> list[tuple[str, Check]]:
    found: dict[str, Callable[[Scene], None]] = {
        "upload.multipart": partial(round_trip, "multipart"),
        "upload.other_field": partial(round_trip, "other"),
        "upload.raw": partial(round_trip, "raw"),
        "upload.names": names,
        "upload.wicked_names": wicked_names,
        "upload.missing": missing,
        "upload.empty": empty,
    }
    if limited:
        found["upload.too_large"] = partial(too_large, "multipart")
        found["upload.too_large_raw"] = partial(too_large, "raw")
    return [(name, _in_thread(check)) for name, check in found.items()]


def _in_thread(check: Callable[[Scene], None]) -> Check:
    async def run(scene: Scene) -> None:
        await asyncio.to_thread(check, scene)
    return run
