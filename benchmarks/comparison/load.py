"""The load generator: wrk, one thread, on the core that it was given."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("requests.lua")
_TIMEOUT_S = 10


class LoadError(Exception):
    """wrk ended otherwise than by telling what it measured."""


@dataclass(frozen=True)
class Load:
    """What wrk saw.

    ``wrong`` answers had another status than expected, ``wrong_status`` being the last such;
    ``lost`` requests were not answered at all.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    wrong: int
    wrong_status: int
    lost: int


def run(
    requests: list[bytes], port: int, *, status: int, connections: int, seconds: int, folder: Path
) -> Load:
    """Sends ``requests`` in turn for a while, each connection as soon as it was answered.

    Raises:
        LoadError: with wrk's last lines.
    """
    file = folder / "requests"
    file.write_bytes(b"".join(request + b"\0" for request in requests))
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
        f"--timeout={_TIMEOUT_S}s", "--latency", "-s", str(_SCRIPT),
        f"http://127.0.0.1:{port}/", "--", str(status), str(file),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    marked = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
    if not marked:
        raise LoadError((ended.stdout + ended.stderr)[-500:].strip())
    return Load(**json.loads(marked[-1].removeprefix("RESULT ")))
