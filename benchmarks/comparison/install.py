"""What is compared, installed: in a folder outside the checkout, in the versions of two files.

Python's peers and mockexec get an environment each; npm's peers and the Node that runs them one
folder. mockexec is installed from the checkout as anybody would, and anew each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
_PROGRAMS = CHECKOUT / "benchmarks" / "peers"
_STAMP = "installed"


class InstallError(Exception):
    """Something is not there or could not be installed; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where everything is. ``java`` is empty where there is none."""

    programs: Path
    python: Path
    mockexec: Path
    npm: Path
    java: str

    @property
    def modules(self) -> Path:
        """The packages of npm."""
        return self.npm / "node_modules"

    @property
    def node(self) -> Path:
        """The Node that npm installed."""
        return self.modules / ".bin" / "node"

    def version(self, package: str) -> str:
        """The version of an installed package, of npm or PyPI."""
        manifest = self.modules / package / "package.json"
        if manifest.exists():
            return str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
        python = self.mockexec.with_name("python") if package == "mockexec" else self.python
        code = f"from importlib.metadata import version; print(version({package!r}))"
        return _output([str(python), "-c", code])

    def java_version(self) -> str:
        """As it calls itself."""
        return _output([self.java, "--version"]).splitlines()[0]


def default_cache() -> Path:
    """The user's folder for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mockexec-benchmarks"


def install(cache: Path, say: Callable[[str], None], *, with_peers: bool) -> Place:
    """Installs what is not there yet.

    Raises:
        InstallError: npm is missing, or an installation failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    ours = _environment(cache / "mockexec")
    say("installing mockexec from the checkout")
    _pip(ours, "install", "--upgrade", str(CHECKOUT))
    # What is installed already in this version would stay as it is, whatever has changed in it.
    _pip(ours, "install", "--force-reinstall", "--no-deps", str(CHECKOUT))
    if with_peers:
        _install_python(cache / "python", say)
        _install_npm(cache / "npm", say)
    return Place(
        programs=_PROGRAMS,
        python=cache / "python" / "bin" / "python",
        mockexec=cache / "mockexec" / "bin" / "mockexec",
        npm=cache / "npm",
        java=shutil.which("java") or "",
    )


def _environment(folder: Path) -> Path:
    """The Python of a virtual environment, made if need be."""
    python = folder / "bin" / "python"
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    return python


def _pip(python: Path, *arguments: str) -> None:
    _run([str(python), "-m", "pip", "--disable-pip-version-check", "-q", *arguments])


def _install_python(folder: Path, say: Callable[[str], None]) -> None:
    pins = _PROGRAMS / "requirements.txt"
    if _is_done(folder, pins):
        return
    say("installing the peers from PyPI")
    _pip(_environment(folder), "install", "--upgrade", "-r", str(pins))
    _mark_done(folder, pins)


def _install_npm(folder: Path, say: Callable[[str], None]) -> None:
    pins = _PROGRAMS / "package.json"
    folder.mkdir(exist_ok=True)
    if not _is_done(folder, pins):
        if shutil.which("npm") is None:
            raise InstallError("npm is missing: install Node.js, or choose peers of Python only")
        say("installing the peers from npm (some minutes)")
        shutil.copy(pins, folder)
        _run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], folder)
        _mark_done(folder, pins)
    # Node finds packages from where the program lies.
    for program in _PROGRAMS.glob("*.mjs"):
        shutil.copy(program, folder)


def _digest(pins: Path) -> str:
    """What tells one state of a file of pins from another, and one Python."""
    return hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()


def _is_done(folder: Path, pins: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text(encoding="ascii") == _digest(pins)


def _mark_done(folder: Path, pins: Path) -> None:
    (folder / _STAMP).write_text(_digest(pins), encoding="ascii")


def _run(command: list[str], folder: Path | None = None) -> None:
    """Runs it, or says how it ended."""
    ended = subprocess.run(  # noqa: S603  # the comparison's own commands
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise InstallError(f"{' '.join(command)}\n{ended.stdout[-2000:]}")


def _output(command: list[str]) -> str:
    """What it prints."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603  # ours
    return ended.stdout.strip()
