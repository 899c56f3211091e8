"""One execution as a value: never changed, only replaced. Worlds share what is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockexec.simulation.lifecycle import FINAL, RUNNING, TRANSITIONS, IllegalTransition, Plan

_NOTHING: Mapping[str, Any] = {}


class Event(NamedTuple):
    """Something that happened to an execution: ``name`` is a state, or a word of the dialect's."""

    at_ns: int
    name: str


class Execution(NamedTuple):
    """An execution of any API.

    ``group`` is the list it appears in (a workflow, resource, project, frontdoor or user),
    ``owner`` whose it is, ``data`` what only its dialect understands: treat it as frozen.
    ``due_ns`` is when the next step of its ``plan`` happens by itself; None: it does not.
    """

    id: str
    group: str
    state: str
    created_ns: int
    changed_ns: int
    owner: str = ""
    started_ns: int | None = None
    finished_ns: int | None = None
    due_ns: int | None = None
    version: int = 0
    reads: int = 0
    plan: Plan = ()
    history: tuple[Event, ...] = ()
    data: Mapping[str, Any] = _NOTHING

    @property
    def is_final(self) -> bool:
        """Whether its life is over."""
        return self.state in FINAL

    def moved(
        self, state: str, at_ns: int, plan: Plan = (), data: Mapping[str, Any] | None = None
    ) -> Execution:
        """Itself after a transition at ``at_ns``, with the rest of its ``plan``.

        Raises:
            IllegalTransition: the lifecycle has no such way.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.id, self.state, state)
        final = state in FINAL
        return Execution(
            self.id,
            self.group,
            state,
            self.created_ns,
            at_ns,
            self.owner,
            at_ns if self.started_ns is None and state == RUNNING else self.started_ns,
            at_ns if final else None,
            None if final else due(plan, at_ns),
            self.version + 1,
            0,
            () if final else plan,
            (*self.history, Event(at_ns, state)),
            {**self.data, **data} if data else self.data,
        )

    def stepped(self, at_ns: int) -> Execution:
        """Itself after the next step of its plan, happening at ``at_ns``."""
        step = self.plan[0]
        return self.moved(step.state, at_ns, self.plan[1:], step.data)

    def played(self, until_ns: int) -> Execution:
        """Itself after all steps that are due by ``until_ns``, each at its own instant."""
        due_ns = self.due_ns
        if due_ns is None or due_ns > until_ns:
            return self
        # All steps at once: a scenario plays a hundred thousand lives when it is loaded.
        state, started_ns, plan, data = self.state, self.started_ns, self.plan, self.data
        at_ns, position, history = due_ns, 0, [*self.history]
        while due_ns is not None and due_ns <= until_ns:
            step = plan[position]
            if step.state not in TRANSITIONS[state]:
                raise IllegalTransition(self.id, state, step.state)
            state, at_ns, position = step.state, due_ns, position + 1
            if started_ns is None and state == RUNNING:
                started_ns = at_ns
            if step.data:
                data = {**data, **step.data}
            history.append(Event(at_ns, state))
            after_ns = None if state in FINAL or position == len(plan) else plan[position].after_ns
            due_ns = None if after_ns is None else at_ns + after_ns
        final = state in FINAL
        return Execution(
            self.id,
            self.group,
            state,
            self.created_ns,
            at_ns,
            self.owner,
            started_ns,
            at_ns if final else None,
            due_ns,
            self.version + position,
            0,
            () if final else plan[position:],
            tuple(history),
            data,
        )


def due(plan: Plan, from_ns: int) -> int | None:
    """When the first step of ``plan`` happens by itself; None: it does not."""
    if not plan or plan[0].after_ns is None:
        return None
    return from_ns + plan[0].after_ns
