"""Two web processes behind nginx, over one database and one Chroma server, as `deploy/nginx.conf` puts them together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.postgres_server import free_port
from vectorstore.place import Place

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
PASSWORD = "open sesame"
STARTING_SECONDS = 90.0

# What a process gets to see of this one's surroundings.
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")


@dataclass
class Process:
    """One `zhice serve`, always on the same port; it can be killed and started again."""

    folder: Path
    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.log")

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--data-dir", str(self.folder)],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**kept, **self.environ, "ZHICE_PORT": str(self.port)},
            )

    def ready(self) -> None:
        """Returns when it takes questions."""
        give_up = time.monotonic() + STARTING_SECONDS
        while not answers(f"{self.url}/readyz"):
            assert time.monotonic() < give_up, self.log.read_text("utf-8", "replace")[-2000:]
            assert self.running is not None
            assert self.running.poll() is None, self.log.read_text("utf-8", "replace")[-2000:]
            time.sleep(0.1)

    def kill(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None

    def stop(self) -> None:
        if self.running is not None:
            self.running.terminate()
            try:
                self.running.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Together:
    """`url` is nginx's; the processes can be asked by themselves, too."""

    url: str
    processes: tuple[Process, Process]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


@contextmanager
def together(nginx: str, place: Place, folder: Path, **environ: str) -> Iterator[Together]:
    """Both processes and nginx, until the block ends."""
    given = {
        "ZHICE_DATABASE_URL": place.database or "",
        "ZHICE_CHROMA_URL": place.chroma or "",
        "ZHICE_ADMIN_PASSWORD": PASSWORD,
        "ZHICE_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        **environ,
    }
    processes = Process(folder / "one", given), Process(folder / "two", given)
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.ready()
        with tempfile.TemporaryDirectory(prefix="zhice-nginx-") as own, _nginx(nginx, Path(own), processes) as url:
            yield Together(url, processes)
    finally:
        for process in processes:
            process.stop()


@contextmanager
def _nginx(program: str, folder: Path, processes: tuple[Process, Process]) -> Iterator[str]:
    """nginx with the configuration that is shipped; only addresses are others."""
    port = free_port()
    shipped = CONFIGURATION.read_text(encoding="utf-8")
    for address, process in zip(("127.0.0.1:7861", "127.0.0.1:7862"), processes, strict=True):
        assert shipped.count(address) == 2
        shipped = shipped.replace(address, f"127.0.0.1:{process.port}")
    shipped, listens = re.subn(r"listen 80;", f"listen 127.0.0.1:{port};", shipped)
    assert listens == 1
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log warn; worker_processes 1;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; {temporary} {shipped} }}\n",
        encoding="utf-8",
    )
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    subprocess.run([*command, "-t", "-q"], check=True)
    running = subprocess.Popen(command)
    try:
        give_up = time.monotonic() + 20
        while not answers(f"http://127.0.0.1:{port}/healthz"):
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)
