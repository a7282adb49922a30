"""A Ray cluster of the tests' own, on 127.0.0.1: a process that is told over its standard input which node to lose.

It is no part of the test's process, since Ray ends every process that loses its cluster.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

# For the cluster and for the command: Ray stays on the loopback address, and notices soon that its cluster is gone.
ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
}
STORE = 100_000_000


@dataclass
class Cluster:
    """A head without processors, and nodes of one processor each."""

    process: subprocess.Popen[str]
    address: str = ""

    def tell(self, command: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def add_node(self) -> None:
        assert self.tell("add") == "added"

    def kill_node(self) -> None:
        assert self.tell("kill") == "killed"

    def processes(self, name: str) -> list[psutil.Process]:
        """The processes of the cluster that have a word in their command line, the oldest first."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any(name in word for word in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return sorted(found, key=lambda process: process.create_time())

    def end(self) -> None:
        """All of it at once, without notice."""
        if self.process.poll() is not None:
            return
        everything = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for process in everything:
            try:
                process.kill()
            except psutil.Error:
                continue
        self.process.wait(30)


@contextmanager
def cluster(nodes: int) -> Iterator[Cluster]:
    root = str(Path(__file__).parents[2])
    with (
        tempfile.TemporaryDirectory(prefix="zhice-ray-", ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            [sys.executable, __file__, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": root},
        ) as process,
    ):
        running = Cluster(process)
        try:
            running.address = running.tell("head")
            for _ in range(nodes):
                running.add_node()
            yield running
        finally:
            running.end()


def main() -> None:
    from ray._common.utils import get_default_ray_temp_dir
    from ray.cluster_utils import Cluster as Nodes

    Path(get_default_ray_temp_dir()).mkdir(parents=True, exist_ok=True)  # the head writes its address there, too
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    nodes, alive = Nodes(), list[Any]()
    for command in sys.stdin:
        if command == "head\n":
            nodes.add_node(num_cpus=0, object_store_memory=STORE, include_dashboard=False, temp_dir=sys.argv[1])
            said = nodes.address
        elif command == "add\n":
            alive.append(nodes.add_node(num_cpus=1, object_store_memory=STORE))
            said = "added"
        else:
            nodes.remove_node(alive.pop(), allow_graceful=False)
            said = "killed"
        answers.write(said + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
