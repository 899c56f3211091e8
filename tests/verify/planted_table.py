"""The table of faults and what finds them: ``python -m tests.verify.planted_table [--seed N] [API…]``.

Each fault is verified twice, in process and within the same limits: by Schemathesis alone (all its
phases and checks, our configuration for it) until it finds something, and by our checks. What
Schemathesis says of the correct server, too, it is not credited with. Prints Markdown, a line as
soon as it is known; the APIs take turns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, zip_longest

from mockexec.verify.events import Found
from mockexec.verify.run import run
from tests.verify.planted import APIS, SCHEMATHESIS_ALONE, against, impostor, verdict


def rows(api: str, seed: int) -> Iterator[str]:
    """One line for each fault of an API."""
    noise = {*verdict(api, None, seed=seed, phases=SCHEMATHESIS_ALONE, in_process=True).titles}
    for fault, sentence in impostor(api).FAULTS.items():
        theirs = _first(api, fault, seed, noise) or "nothing"
        ours = next(iter(verdict(api, fault, seed=seed, in_process=True).titles), "nothing")
        cells = (api, fault, sentence, theirs, ours)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _first(api: str, fault: str, seed: int, noise: set[str]) -> str:
    """The first that Schemathesis finds and that is no noise; "" within the limits nothing."""
    with (
        against(api, fault, seed=seed, phases=SCHEMATHESIS_ALONE, in_process=True) as plan,
        closing(run(plan)) as events,
    ):
        found = (event.finding.title for event in events if isinstance(event, Found))
        return next((title for title in found if title not in noise), "")


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
    turns = zip_longest(*(rows(api, seed) for api in arguments or APIS))
    for row in chain.from_iterable(turns):
        if row is not None:
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
