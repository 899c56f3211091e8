"""``python -m mockexec``."""

from mockexec.cli import main

main()
