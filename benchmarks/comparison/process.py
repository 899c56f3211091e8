"""A server as a process of its own: started on one core, held still, measured, ended (Linux)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import perf_counter

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_POLL_S = 0.003
_ANSWER_S = 5.0
_END_S = 5.0
_LINES_SHOWN = 6


class StartError(Exception):
    """A server did not become ready; the message has its last lines."""


class Server:
    """One running server. Its process and all that it starts are a session of their own."""

    def __init__(
        self, command: list[str], *, core: int, env: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self._log = log
        self._begun = perf_counter()
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  # the comparison's own commands
                ["taskset", "-c", str(core), *command],  # noqa: S607  # wherever it is installed
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env},
                cwd=folder,
                start_new_session=True,
            )

    def wait_ready(self, port: int, path: str, headers: Mapping[str, str], limit_s: float) -> float:
        """Asks until the answer is 200; the seconds from the start of the process to there.

        Raises:
            StartError: the process ended, or the time is up.
        """
        last = "it does not listen"
        while perf_counter() - self._begun < limit_s:
            try:
                status, _ = ask(port, "GET", path, headers)
            except (OSError, HTTPException) as error:
                last = repr(error)
            else:
                if status == 200:
                    return perf_counter() - self._begun
                last = f"it answers {status}"
            # A nap that ends early if the process does.
            try:
                code = self._process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            raise StartError(f"ended with code {code}\n{self.last_lines()}")
        raise StartError(f"not ready after {limit_s:g} s: {last}\n{self.last_lines()}")

    def hold(self) -> None:
        """It gets no time of the processor until ``go_on``."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It runs again."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Ends it: politely first, then not."""
        for signal_number in (signal.SIGCONT, signal.SIGTERM):
            self._signal(signal_number)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        # What it started may outlive it.
        self._signal(signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """Seconds of the processor that the process and all that it started have used so far."""
        # Fields 14 and 15 of the file, see proc(5): user and system time.
        ticks = sum(int(fields[11]) + int(fields[12]) for _, fields in self._stats())
        return ticks / _TICKS_PER_S

    def memory_bytes(self) -> int:
        """Proportional set size of the process and all that it started."""
        total = 0
        for pid, _ in self._stats():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
            for line in text.splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def last_lines(self) -> str:
        """The end of what it printed, and the beginning, as some tell the reason first."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(lines) > 2 * _LINES_SHOWN:
            lines = [*lines[:_LINES_SHOWN], "...", *lines[-_LINES_SHOWN:]]
        return "\n".join(line[:300] for line in lines)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # it has ended already

    def _stats(self) -> Iterator[tuple[str, list[str]]]:
        """/proc/PID/stat of the processes of its session, from the field after the name on."""
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
            fields = text[text.rindex(")") + 2 :].split()
            # Field 6: the session.
            if fields[3] == str(self._process.pid):
                yield folder.name, fields


def ask(
    port: int, method: str, path: str, headers: Mapping[str, str], body: str = ""
) -> tuple[int, bytes]:
    """One request; status and body of its answer.

    Raises:
        OSError, HTTPException: there was none.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request(method, path, body or None, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
