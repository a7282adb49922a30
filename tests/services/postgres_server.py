"""A PostgreSQL server of the tests' own, on 127.0.0.1, in a temporary folder."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def programs() -> Path | None:
    """Where the server's programs are; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).parent if beside else None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server; `database` makes an empty database and gives its URL."""

    programs: Path
    folder: Path
    port: int

    def database(self) -> str:
        import psycopg

        name = f"zhice_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://zhice@127.0.0.1:{self.port}/{name}"

    def restart(self, how: str = "fast") -> None:
        """As an administrator does; `immediate` is a crash."""
        self.stop(how)
        self.start()

    def stop(self, how: str = "fast") -> None:
        _as_nobody_special([str(self.programs / "pg_ctl"), "-D", str(self.folder), "-m", how, "-w", "stop"])

    def start(self) -> None:
        _as_nobody_special(
            [
                str(self.programs / "pg_ctl"), "-D", str(self.folder), "-w", "-t", "60",
                "-l", str(self.folder.parent / "log"),
                "-o", f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''", "start",
            ]
        )  # fmt: skip


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A server in a folder of its own, gone at the end."""
    found = programs()
    assert found is not None
    # Not below pytest's folder, which nobody but who runs the tests may enter.
    with tempfile.TemporaryDirectory(prefix="zhice-postgres-") as folder:
        server = Server(found, Path(folder) / "data", free_port())
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        initdb = [str(found / "initdb"), "-D", str(server.folder), "-U", "zhice", "--auth=trust"]
        _as_nobody_special([*initdb, "-E", "UTF8", "--locale=C.UTF-8"])
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _as_nobody_special(command: Sequence[str]) -> None:
    """PostgreSQL refuses to run as root."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120, **user)
