"""What a serving process asks of the libraries under it, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

SERVED = """
    from fastapi import FastAPI
    from threadpoolctl import threadpool_info
    from channels.server import serve

    class Assistant:
        def warm_up(self):
            print({pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"}, flush=True)

    serve(FastAPI(), Assistant(), host="127.0.0.1", port=0)
"""

# Milliseconds of processor time for comparing one vector with 4,000, before and after: OpenBLAS's threads wait busily
# until the next comparison, 20 ms later.
COMPARED = """
    import time
    import numpy as np
    from channels.tuning import tune

    vectors = np.ones((4000, 256), dtype=np.float32)

    def compared():
        vectors @ vectors[0]
        worked = time.process_time()
        for _ in range(30):
            vectors @ vectors[0]
            time.sleep(0.02)
        return 1000 * (time.process_time() - worked) / 30

    before = compared()
    tune()
    time.sleep(0.2)  # threads that wait give up by then
    print(f"{before:.2f} {compared():.2f}")
"""


def test_a_server_sums_in_one_thread() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVED)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = process.stdout.readline(), process.stdout.readline()
        process.send_signal(signal.SIGTERM)
    assert lines[0].startswith("Zhice is at ")
    assert lines[1] == "{1}\n"


def test_no_thread_goes_on_working_after_vectors_were_compared() -> None:
    command = [sys.executable, "-c", textwrap.dedent(COMPARED)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2], timeout=60
    )
    before, after = map(float, done.stdout.split())
    print(f"\nbefore {before:.2f} ms, after {after:.2f} ms of processor time")
    assert after < 200 / 30  # waiting threads take 20 ms each time
