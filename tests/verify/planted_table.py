"""The table of faults and what finds them: ``python -m tests.verify.planted_table [--seed N] [API…]``.

Each fault is verified twice, within the same limits: by Schemathesis alone (all its phases and
checks, our configuration for it), and by our checks. Prints Markdown. What both say of the correct
server is left out of what Schemathesis is credited with.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.verify.planted import APIS, SCHEMATHESIS_ALONE, Verdict, impostor, verdict


def rows(api: str, seed: int) -> Iterator[str]:
    """One line for each fault of an API."""
    noise = {*verdict(api, None, seed=seed, phases=SCHEMATHESIS_ALONE, in_process=True).titles}
    for fault, sentence in impostor(api).FAULTS.items():
        plain = verdict(api, fault, seed=seed, phases=SCHEMATHESIS_ALONE, in_process=True)
        ours = verdict(api, fault, seed=seed, in_process=True)
        theirs = _first(plain, noise)
        cells = (api, fault, sentence, theirs or "nothing", _first(ours, set()) or "nothing")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _first(found: Verdict, noise: set[str]) -> str:
    return next((title for title in found.titles if title not in noise), "")


def main(arguments: list[str]) -> None:
    """Prints the table, a line as soon as it is known."""
    seed = 0
    if "--seed" in arguments:
        place = arguments.index("--seed")
        seed = int(arguments[place + 1])
        arguments = arguments[:place] + arguments[place + 2 :]
    lines = [
        "| API | fault | what is wrong | plain Schemathesis | mockexec |",
        "|---|---|---|---|---|",
    ]
    for line in lines:
        sys.stdout.write(line + "\n")
    for api in arguments or APIS:
        for row in rows(api, seed):
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
