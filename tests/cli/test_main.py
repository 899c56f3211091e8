"""``mockexec`` itself."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.support import run


def test_the_overview_names_every_command() -> None:
    """With a line about each."""
    listed = run("--help").output
    for name in ("serve", "lint", "token", "new", "fixtures"):
        assert f"\n  {name} " in listed


def test_every_command_has_help() -> None:
    """All that the overview names can be asked."""
    for name in ("serve", "lint", "token", "new", "fixtures"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert result.output.startswith(f"Usage: mockexec {name}")


def test_an_unknown_command_is_refused() -> None:
    """With exit code 2."""
    result = run("severe")
    assert result.exit_code == 2
    assert "No such command 'severe'" in result.stderr


def test_the_overview_does_not_load_the_server() -> None:
    """Subcommands are imported when they are used: the overview comes at once."""
    script = (
        "import sys; from mockexec.cli import main; main(['--help'], standalone_mode=False); "
        "sys.exit(any(name.partition('.')[0] in {'connexion', 'faker', 'uvicorn'} "
        "for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
