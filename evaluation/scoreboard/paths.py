"""Line 9: hostile names and paths as uploads, in archives, in addresses, on the page and in a folder; none leads out."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from evaluation.scoreboard.clients import PATIENCE, ask, bearer, furnish, settle
from evaluation.scoreboard.hostile_names import MARK, addresses, archive, furnish_folder, names, said
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT
from evaluation.scoreboard.served import Server, serving
from evaluation.scoreboard.surface import call, events
from vectorstore.store import PolicyStore

# How many names come in each way; 500 in all. In the quick form a tenth.
UPLOADED: Final = 140
PACKED: Final = 140
ADDRESSED: Final = 140
CHOSEN: Final = 30
FOLDED: Final = 50
TENTH: Final = 10
A_PACK: Final = 20  # names in one archive

# What stands in files that are nobody's business, as bytes of a response would hold it.
_NOT_SHOWN: Final = (b"root:x:0:0", b"SQLite format 3", b'"""The roof: the')
# What an interpreter reads when it imports something.
_CODE: Final = (".py", ".pyc", ".so", ".pth", ".dylib", ".pyd")


@dataclass(slots=True)
class Ground:
    """The folders of one run: the data folder, the server's own home and scratch folders, a secret, and the record."""

    work: Path
    secret: Path = field(init=False)
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        self.work = self.work.resolve()
        for folder in (self.home, self.scratch, self.work / "outside"):
            folder.mkdir()
        self.secret = self.work / "outside" / "secret.txt"
        self.secret.write_text(f"第一条 对金丝雀项目给予{self.token}万元奖励。\n", encoding="utf-8")

    @property
    def data(self) -> Path:
        return self.work / "kb"

    @property
    def home(self) -> Path:
        return self.work / "home"

    @property
    def scratch(self) -> Path:
        return self.work / "scratch"

    @property
    def log(self) -> Path:
        return self.work / "opened.jsonl"

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home), "TMPDIR": str(self.scratch), "PYTHONDONTWRITEBYTECODE": "1"}

    @property
    def watched(self) -> tuple[str, ...]:
        """What to put before the command."""
        return sys.executable, "-m", "evaluation.scoreboard.watched", str(self.log)

    def opened(self, since: int = 0) -> list[tuple[str, Path, bool]]:
        """What was opened, from this byte of the record on: the event, the path, whether it writes."""
        with self.log.open("rb") as log:
            log.seek(since)
            return [(event, Path(path), writes) for event, path, writes in map(json.loads, log)]

    def outside(self) -> dict[Path, tuple[int, int]]:
        """Size and time of every file in the ground that is not the server's own."""
        own = (self.data, self.scratch, self.log, self.data.with_name(f"{self.data.name}.log"))
        return {
            path: (path.lstat().st_size, path.lstat().st_mtime_ns)
            for path in self.work.rglob("*")
            if not any(path.is_relative_to(each) for each in own)
        }


def run(work: Path, *, quick: bool) -> Line:
    """All 500 names, in the quick form a tenth of them."""
    started = time.perf_counter()
    share = TENTH if quick else 1
    ground = Ground(work)
    admin, (key,) = furnish(ground.data, 1)
    folder = ground.work / "folder"
    entries = furnish_folder(folder, ground.secret, ground.data, FOLDED // share + (10 if quick else 0))
    with serving(ground.data, before=ground.watched, ZHICE_SAMPLES="0", **ground.environ) as server:
        _get_going(server, admin, key)
        since, before = ground.log.stat().st_size, ground.outside()
        shown = [
            *_uploaded(server, admin, names(ground.secret, UPLOADED // share)),
            *_packed(server, admin, names(ground.secret, PACKED // share), ground.secret),
            *_addressed(server, addresses(ground.secret, ADDRESSED // share)),
            *_chosen(server, names(ground.secret, CHOSEN // share)),
        ]
        goes_on = _goes_on(server, key)
    violations = _strays(ground.opened(since), (ground.data, ground.scratch))
    since = ground.log.stat().st_size
    _take_in(ground, folder)
    violations += _strays(ground.opened(since), (ground.data, ground.scratch, folder), begun=False)
    violations += [f"{path.name} was changed or made" for path in _changed(before, ground.outside())]
    violations += [f"{path.name} was left" for path in ground.scratch.iterdir()]
    violations += [f"{path} was made" for path in _escaped(ground)]
    violations += _told(shown, ground.token) + _kept(ground) + goes_on
    total = UPLOADED // share + PACKED // share + ADDRESSED // share + CHOSEN // share + entries
    return Line(
        9,
        "500 hostile names and paths: climbing, absolute, NUL, links, encoded",
        f"{total} names: of uploads ({UPLOADED // share}), in archives ({PACKED // share}), in addresses ({ADDRESSED // share}), of files "
        f"chosen on the page ({CHOSEN // share}), in a folder with links ({entries}); an audit hook in the server records "
        "every file that Python opens, and a secret, the folders around and all replies are looked at",
        f"{len(violations)} reads or writes outside the data folder; {len(shown)} replies, none with the secret"
        + "".join(f"; {each} ({count} x)" for each, count in Counter(violations).most_common(3)),
        not violations,
        time.perf_counter() - started,
    )


def _get_going(server: Server, admin: str, key: str) -> None:
    """All that a server opens on its way through its ordinary work, so that it is on record before."""
    settle(server, key)
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False) as client:
        for path in ("/", "/config", "/docs", "/openapi.json", "/healthz", "/d/nothing", "/static/js/nothing"):
            client.get(path)
        packed = archive([("sound.txt", said(-1).encode())])
        client.post("/api/documents", headers=bearer(admin), files={"file": ("sound.zip", packed)})
        _choose(client, "sound.txt", str(-2))


def _uploaded(server: Server, admin: str, hostile: Sequence[str]) -> Iterator[bytes]:
    """Upload a sound document under each name: as it is, and as RFC 5987 has names that are not ASCII."""
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False, headers=bearer(admin)) as client:
        for number, name in enumerate(hostile):
            plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
            given = b'filename="' + plain + b'"'
            if number % 3 == 0:
                given += b"; filename*=UTF-8''" + "".join(f"%{byte:02X}" for byte in name.encode()).encode()
            yield _sent(client, "/api/documents", b"file", given, said(1_000 + number).encode())


def _sent(client: httpx.Client, path: str, part: bytes, name: bytes, content: bytes) -> bytes:
    head = b'--end\r\nContent-Disposition: form-data; name="' + part + b'"; ' + name + b"\r\n\r\n"
    sent = {"Content-Type": "multipart/form-data; boundary=end"}
    return client.post(path, content=head + content + b"\r\n--end--\r\n", headers=sent).content


def _packed(server: Server, admin: str, hostile: Sequence[str], secret: Path) -> Iterator[bytes]:
    """Upload archives with these names in them, and with links to the secret."""
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False, headers=bearer(admin)) as client:
        for start in range(0, len(hostile), A_PACK):
            entries = [
                (name, said(5_000 + start + number).encode())
                for number, name in enumerate(hostile[start : start + A_PACK])
            ]
            links = [("link.txt", str(secret)), ("links/up", "../../../"), ("links/up/more.txt", str(secret))]
            packed = archive(entries, links)
            yield client.post("/api/documents", files={"file": (f"{start}.zip", packed)}).content


def _addressed(server: Server, targets: Sequence[str]) -> Iterator[bytes]:
    """Ask for each as it stands, which no ordinary client would."""
    for target in targets:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            # Some addresses are streams without an end; they show what they have at once.
            connection.settimeout(1)
            yield _heard(connection)


def _heard(connection: socket.socket) -> bytes:
    heard = b""
    try:
        while len(heard) < 2**20 and (piece := connection.recv(2**16)):
            heard += piece
    except OSError:
        pass
    return heard


def _chosen(server: Server, hostile: Sequence[str]) -> Iterator[bytes]:
    """Say on the page that files of these paths were uploaded, and upload some under these names."""
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False) as client:
        for number, name in enumerate(hostile):
            if number % 2:
                yield _choose(client, name, str(9_000 + number)).encode()
            else:
                yield _add(client, {"path": name, "orig_name": "a.txt", "meta": {"_type": "gradio.FileData"}})
                yield _add(client, {"path": name, "orig_name": "a.txt"})


def _choose(client: httpx.Client, name: str, content: str) -> str:
    """Upload as the page does, then have it taken in."""
    given = b'filename="' + name.replace('"', "%22").replace("\r", "").replace("\n", "").encode() + b'"'
    reply = _sent(client, "/gradio_api/upload", b"files", given, said(int(content)).encode())
    try:
        path = json.loads(reply)[0]
    except (ValueError, KeyError, IndexError):
        return reply.decode("utf-8", "replace")
    return _add(client, {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}).decode()


def _add(client: httpx.Client, file: dict[str, Any]) -> bytes:
    add = next(event for event in events(client) if event.name == "add")
    return call(client, add, [[file], "zh"]).encode()


def _goes_on(server: Server, key: str) -> list[str]:
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False) as client:
        return [fault for fault in [ask(client, key)] if fault] if server.alive else ["the server is gone"]


def _take_in(ground: Ground, folder: Path) -> None:
    """`zhice ingest` of the folder, watched."""
    subprocess.run(  # noqa: S603 - this program's own command
        [*ground.watched, sys.executable, "-m", "app", "ingest", str(folder), "--data-dir", str(ground.data)],
        capture_output=True, cwd=ROOT, timeout=120, check=False, env={**ground.environ, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def _strays(opened: Sequence[tuple[str, Path, bool]], own: Sequence[Path], *, begun: bool = True) -> list[str]:
    """What was opened outside; a process that has only begun also reads what belongs to the system.

    What installed packages bring they may read at any time, as when one is imported late.
    """
    packages = Path(sysconfig.get_paths()["purelib"]).resolve()
    code = (ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
    system = (
        ()
        if begun
        else tuple(
            map(Path, ("/etc", "/proc", "/sys", "/dev/null", "/dev/urandom", "/usr/share", "/usr/lib/os-release"))
        )
    )
    strays = []
    for event, path, writes in opened:
        inside = any(path.is_relative_to(each) for each in own)
        imported = path.is_relative_to(packages) or (
            any(path.is_relative_to(each) for each in code) and (not begun or path.suffix in _CODE or path.is_dir())
        )
        known = any(path.is_relative_to(each) for each in system) and path != Path("/etc/passwd")
        if not inside and (writes or not (imported or known)):
            strays.append(f"{event} {path}")
    return strays


def _changed(before: dict[Path, tuple[int, int]], after: dict[Path, tuple[int, int]]) -> list[Path]:
    return [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]


def _escaped(ground: Ground) -> list[Path]:
    """Files of a hostile name in the folders that such a name leads to."""
    places = [ROOT, Path("/"), Path("/tmp"), *ground.work.parents, ground.work]  # noqa: S108 - looked at, not used
    return [path for place in dict.fromkeys(places) for path in place.glob(f"*{MARK}*")]


def _told(shown: Sequence[bytes], token: str) -> list[str]:
    return [
        "a reply shows what it must not"
        for each in shown
        if any(part in each for part in (token.encode(), *_NOT_SHOWN))
    ]


def _kept(ground: Ground) -> list[str]:
    """Whether the secret is in a document."""
    store = PolicyStore(ground.data)
    try:
        records = store.catalog.records()
        return [
            f"{each.source} holds the secret"
            for each in records
            if ground.token in store.text(each.document_id, each.version)
        ]
    finally:
        store.close()
