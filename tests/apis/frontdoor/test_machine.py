"""Frontdoor's executions against a model: arrive, live, cancel, list, page, find, be refused.

The model is written from what the API is said to do. None of its operations starts an execution,
so the scenario and the control API bring them in; what that tells of a new one is all the model
learns.
"""

from __future__ import annotations

import dataclasses
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from mockexec.simulation.instants import SECOND, format_instant, parse_duration
from tests.apis.frontdoor import FRONTDOOR, GLOBEX, NOBODYS, STAGING
from tests.machine import ApiMachine, fixed_scenario

OWNERS = {FRONTDOOR: "acme", STAGING: "acme", GLOBEX: "globex"}
READ, WRITE = "frontdoor.read", "frontdoor.write"

# By task: the profile's spans in the queue and at work, and how it ends.
PROFILES = {
    "*": {"running": "90s", "outcomes": {"completed": 1}},
    "rollout": {"queued": "10s", "running": "20s", "outcomes": {"failed": 1}},
    "immediate": {"progress": "immediate", "outcomes": {"completed": 1}},
}
TASKS = {
    "provision-frontend": ("provision frontend {}", 0, 90, "FINISHED"),
    "deploy-share": ("deploy share {}", 10, 20, "FAILED"),
    "create-health-check": ("create health check {}-https", 0, 0, "FINISHED"),
}
PROCESSES = ["abc-1", "abc-2", "abc 3/ü&=", "glx"]
TARGETS = ["shop", "Wiki", "archiv-ü"]
ENDS = ("FINISHED", "FAILED", "CANCELLED")
SPANS = ("-3h", "-50s", "40s", "2m", "30s", "6h", None)  # when it ends, from the world's start


def told(number: int) -> dict[str, Any]:
    """An execution of the scenario; its number decides everything, with ties in all it can."""
    ended = SPANS[number % 7]
    # Up to exe-98, so that the next but one is exe-100, which comes before exe-99 in a text order.
    known = number * 17 % 38 + 61 if number < 38 else number
    raw = {
        "id": f"exe/ü {number}" if number > 55 else f"exe-{known}",
        "frontdoor": (FRONTDOOR, FRONTDOOR, FRONTDOOR, STAGING, GLOBEX)[number % 5],
        "process": PROCESSES[number % 4],
        "name": ("provision frontend shop", "deploy share Wiki", "Zebra")[number % 3],
        "started": "-4h" if ended == "-3h" else f"-{number // 3 + 60}s500ms",
        "status": ENDS[number // 2 % 3],
    }
    return raw if ended is None else {**raw, "ended": ended}


TOLD = [told(number) for number in range(60)]


@dataclass
class Modelled:
    """An execution as it should be; ``end_ns`` is when it ends if nobody ends it before."""

    id: str
    frontdoor: str
    process: str
    name: str
    created_ns: int
    work_ns: int  # when it leaves the queue, which users do not see
    end_ns: int | None
    end: str

    def is_open(self, now_ns: int) -> bool:
        """Whether it still runs."""
        return self.end_ns is None or now_ns < self.end_ns

    def status(self, now_ns: int) -> str:
        """Its word at an instant."""
        return "RUNNING" if self.is_open(now_ns) else self.end

    def started_ns(self, now_ns: int) -> int:
        """When it started; when it came to be, as long as (or if) it never did."""
        until_ns = now_ns if self.end_ns is None else min(now_ns, self.end_ns)
        return self.work_ns if self.work_ns <= until_ns else self.created_ns

    def stop(self, now_ns: int, end: str) -> None:
        """Ends it now. One that is still in its queue then never starts."""
        if self.work_ns > now_ns:
            self.work_ns = now_ns + 10**30
        self.end_ns, self.end = now_ns, end

    def wire(self, now_ns: int) -> dict[str, Any]:
        """What plain JSON should show."""
        open_ = self.is_open(now_ns)
        return {
            "id": self.id,
            "processId": self.process,
            "name": self.name,
            "status": self.status(now_ns),
            "createdAt": format_instant(self.created_ns),
            "startedAt": format_instant(self.started_ns(now_ns)),
            "finishedAt": None if open_ or self.end_ns is None else format_instant(self.end_ns),
        }


@dataclass
class Caller:
    """Who asks: the header, and what it should stand for (no subject: nobody)."""

    header: str | None
    subject: str = ""
    scopes: tuple[str, ...] = (READ, WRITE)
    until_ns: int | None = None

    def is_known(self, now_ns: int) -> bool:
        """Whether it is anybody, still."""
        return bool(self.subject) and (self.until_ns is None or now_ns < self.until_ns)

    def reaches(self, frontdoor: str, scope: str) -> bool:
        """Whether the token opens the frontdoor for this."""
        return OWNERS.get(frontdoor.lower()) == self.subject and scope in self.scopes


def basic(text: str) -> str:
    """HTTP Basic credentials."""
    return f"Basic {b64encode(text.encode()).decode()}"


DEV = Caller("Bearer frontdoor-dev-token", "acme")
CALLERS = [
    Caller(basic("anyone:frontdoor-dev-token"), "acme"),
    Caller("Bearer frontdoor-other-token", "globex"),
    Caller(basic("acme:frontdoor-other-token"), "globex"),
    Caller("Bearer frontdoor-weak-token", "acme", (READ,)),
    Caller("Bearer frontdoor-expired-token"),
    Caller("Bearer guessed"),
    Caller(None),
]
CLIENTS = {
    "dev-client": ("dev-secret", "acme", (READ, WRITE)),
    "other-client": ("other-secret", "globex", (READ, WRITE)),
    "read-only-client": ("read-only-secret", "acme", (READ,)),
}

# What a client accepts, and which form it gets: HAL, plain JSON or neither.
ACCEPTED = {
    "*/*": "hal",
    "application/hal+json": "hal",
    "application/json, application/hal+json": "hal",
    "application/json": "plain",
    "application/hal+json;q=0.2, application/json;q=0.3": "plain",
    "text/html": None,
}


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Three times out of four ``usual``, so that what comes later is reached."""
    return st.sampled_from([usual] * (3 * len(others)) + list(others))


INDEX = st.integers(0, 999)
WHO = _mostly(-1, *range(len(CALLERS) + 3))  # -1: the development token; the last are minted
ACCEPT = st.sampled_from(["*/*", "application/json", *ACCEPTED])
WHERE = _mostly(FRONTDOOR, *OWNERS, FRONTDOOR.upper(), NOBODYS)
PROPERTIES = ("id", "processId", "name", "status", "startedAt", "createdAt")
SORTS = st.one_of(
    st.none(), st.sampled_from([p + d for p in PROPERTIES for d in ("", ",asc", ",desc")])
)
# A wrong value, and the sentence about it.
WRONG = [
    ("page", "one", "Value for page must be of Integer"),
    ("page", "-1", "Value for page must be of Integer at least 0, got -1"),
    ("size", "0", "Value for size must be of Integer at least 1, got 0"),
    ("size", "2001", "Value for size must be of Integer at most 2000, got 2001"),
    ("size", "1.0.0", "Value for size must be of Integer"),
    ("sort", "finishedAt", "Value for sort must be of property[,asc|desc] with property id,"),
    ("sort", "id,up", "Value for sort must be of property[,asc|desc] with property id,"),
]


class FrontdoorMachine(ApiMachine):
    """Three frontdoors of two accounts; tasks that take a fixed time."""

    api = "frontdoor"
    scenario = fixed_scenario("frontdoor", PROFILES)
    scenario = dataclasses.replace(scenario, data={**scenario.data, "executions": TOLD})

    def __init__(self) -> None:
        super().__init__()
        self.executions = [_modelled(raw, self.now_ns) for raw in TOLD]
        self.minted: list[Caller] = []

    # What the model says.

    def caller(self, index: int) -> Caller:
        """The development token, another of the scenario's, or a minted one."""
        if index < 0:
            return DEV
        if index < len(CALLERS):
            return CALLERS[index]
        return self.minted[-index % len(self.minted)] if self.minted else DEV

    def listed(self, frontdoor: str, sort: str | None) -> list[Modelled]:
        """A frontdoor's executions in the order asked for."""
        by, _, direction = (sort or "createdAt").partition(",")
        now_ns = self.now_ns

        def place(e: Modelled) -> tuple[Any, ...]:
            started_ns = e.started_ns(now_ns)
            value = {
                "id": (e.id,),
                "processId": (e.process, started_ns),
                "name": (e.name,),
                "status": (e.status(now_ns),),
                "startedAt": (started_ns,),
                "createdAt": (),
            }[by]
            return (*value, e.created_ns, e.id)

        return sorted(
            (e for e in self.executions if e.frontdoor == frontdoor.lower()),
            key=place,
            reverse=direction == "desc",
        )

    def shown(self, execution: Modelled, form: str | None) -> dict[str, Any]:
        """An execution as the API should show it."""
        body = execution.wire(self.now_ns)
        if form == "hal":
            address = f"{_address(execution.frontdoor)}/{quote(execution.id, safe='')}"
            body["_links"] = {"self": {"href": address}}
        return body

    # How the API is asked.

    def ask(
        self, method: str, frontdoor: str, rest: str, caller: Caller, accept: str, **more: Any
    ) -> httpx.Response:
        """A request below a frontdoor."""
        headers = {"authorization": caller.header, "accept": accept}
        return self.served.request(
            method, f"/frontdoor/{frontdoor}/executions{rest}", headers=headers, **more
        )

    def is_refused(
        self,
        response: httpx.Response,
        caller: Caller,
        accept: str,
        frontdoor: str,
        scope: str = READ,
    ) -> bool:
        """Whether this caller must be turned away, and, if so, that it is, in the vendor's words."""
        if not caller.is_known(self.now_ns):
            _refused(response, 401, "unauthorized", "Bearer token is missing or invalid")
            assert response.headers["www-authenticate"].startswith("Bearer ")
        elif ACCEPTED[accept] is None:
            _refused(response, 406, "not_acceptable", None)
        elif not caller.reaches(frontdoor, scope):
            _refused(response, 403, "not_found", f"Frontdoor {frontdoor} not found")
        else:
            return False
        return True

    # What happens.

    @rule(
        frontdoor=_mostly(FRONTDOOR, *OWNERS),
        task=st.sampled_from(sorted(TASKS)),
        goal=st.sampled_from(TARGETS),
        process=st.sampled_from(PROCESSES),
    )
    def arrive(self, frontdoor: str, task: str, goal: str, process: str) -> None:
        """An execution begins, with an id that no other has."""
        data = {"frontdoor": frontdoor, "task": task, "target": goal, "process": process}
        body = {"api": "frontdoor", "data": data}
        response = self.served.post("/_mockexec/executions", json=body)
        assert response.status_code == 201, response.text
        identifier = response.json()["id"]
        assert identifier not in {e.id for e in self.executions}
        name, queued_s, running_s, end = TASKS[task]
        work_ns = self.now_ns + queued_s * SECOND
        self.executions.append(
            Modelled(
                identifier, frontdoor, process, name.format(goal), self.now_ns, work_ns,
                work_ns + running_s * SECOND, end,
            )
        )  # fmt: skip

    @rule(by=st.sampled_from(["1ns", "500ms", "1s", "10s", "20s", "30s", "90s", "1h", "40d"]))
    def pass_time(self, by: str) -> None:
        """The clock goes on."""
        self.advance(by)

    @rule(
        index=INDEX,
        still_open=_mostly(True, False),
        who=WHO,
        accept=ACCEPT,
        elsewhere=_mostly(None, *OWNERS),
    )
    def cancel(
        self, index: int, still_open: bool, who: int, accept: str, elsewhere: str | None
    ) -> None:
        """An open one is CANCELLED at once; a closed one stays as it is: 409."""
        caller, execution = self.caller(who), self.chosen(index, still_open=still_open)
        frontdoor = elsewhere or execution.frontdoor
        rest = f"/{quote(execution.id, safe='')}:cancel"
        response = self.ask("POST", frontdoor, rest, caller, accept)
        if self.is_refused(response, caller, accept, frontdoor, WRITE):
            return
        if frontdoor != execution.frontdoor:
            _refused(response, 404, "not_found", f"Execution {execution.id} not found")
        elif not execution.is_open(self.now_ns):
            said = f"Execution {execution.id} is already {execution.end}"
            _refused(response, 409, "conflict", said)
        else:
            execution.stop(self.now_ns, "CANCELLED")
            assert response.status_code == 200, response.text
            assert response.json() == self.shown(execution, ACCEPTED[accept])

    @rule(
        index=INDEX,
        still_open=_mostly(True, False),
        end=st.sampled_from([("completed", "FINISHED"), ("failed", "FAILED")]),
    )
    def finish(self, index: int, still_open: bool, end: tuple[str, str]) -> None:
        """The control API ends a running one; what is over stays as it is."""
        execution = self.chosen(index, still_open=still_open)
        if execution.is_open(self.now_ns) and execution.work_ns > self.now_ns:
            return  # out of the queue there is no way to an end but cancelling
        response = self.served.request(
            "PATCH",
            f"/_mockexec/executions/{quote(execution.id, safe='')}",
            json={"state": end[0]},
        )
        if not execution.is_open(self.now_ns):
            assert response.status_code == 409, response.text
            return
        assert response.status_code == 200, response.text
        execution.stop(self.now_ns, end[1])

    def chosen(self, index: int, *, still_open: bool) -> Modelled:
        """An execution, if possible an open one."""
        open_ = [e for e in self.executions if e.is_open(self.now_ns)] if still_open else []
        known = open_ or self.executions
        return known[-1 - index % len(known)]

    # Reading one.

    @rule(index=INDEX, who=WHO, accept=ACCEPT, elsewhere=_mostly(None, *OWNERS))
    def get(self, index: int, who: int, accept: str, elsewhere: str | None) -> None:
        """One execution says what the model says, in its own frontdoor only."""
        caller, execution = self.caller(who), self.executions[-1 - index % len(self.executions)]
        frontdoor = elsewhere or execution.frontdoor
        response = self.ask("GET", frontdoor, f"/{quote(execution.id, safe='')}", caller, accept)
        if self.is_refused(response, caller, accept, frontdoor):
            return
        if frontdoor != execution.frontdoor:
            _refused(response, 404, "not_found", f"Execution {execution.id} not found")
        else:
            assert response.status_code == 200, response.text
            assert response.json() == self.shown(execution, ACCEPTED[accept])

    @rule(frontdoor=WHERE, who=WHO, accept=ACCEPT, process=_mostly(*PROCESSES, "abc", ""))
    def find(self, frontdoor: str, who: int, accept: str, process: str) -> None:
        """The last started of a process; none is a 404, and no process a 400."""
        caller = self.caller(who)
        response = self.ask(
            "GET", frontdoor, ":find", caller, accept, params={"processId": process}
        )
        if not process and caller.is_known(self.now_ns):
            _refused(response, 400, "invalid_request", "Value for processId must be of String")
            return
        if self.is_refused(response, caller, accept, frontdoor):
            return
        matching = [e for e in self.listed(frontdoor, None) if e.process == process]
        if not matching:
            said = f"Execution with processId {process} not found"
            _refused(response, 404, "not_found", said)
            return
        newest_ns = max(e.started_ns(self.now_ns) for e in matching)
        newest = [e for e in matching if e.started_ns(self.now_ns) == newest_ns]
        assert response.status_code == 200, response.text
        assert response.json() in [self.shown(e, ACCEPTED[accept]) for e in newest]

    # Lists.

    @rule(
        frontdoor=WHERE,
        who=WHO,
        accept=ACCEPT,
        page=st.one_of(st.none(), st.integers(0, 4), st.just(2**31 - 1)),
        size=st.one_of(st.none(), st.integers(1, 9), st.sampled_from([40, 1000, 2000])),
        sort=SORTS,
    )
    def list_(
        self,
        frontdoor: str,
        who: int,
        accept: str,
        page: int | None,
        size: int | None,
        sort: str | None,
    ) -> None:
        """Any page in any order is that of the model, with its totals and links."""
        caller = self.caller(who)
        response = self.ask(
            "GET", frontdoor, "", caller, accept, params=_given(page=page, size=size, sort=sort)
        )
        if not self.is_refused(response, caller, accept, frontdoor):
            self.check_page(response, accept, frontdoor, (page or 0, size or 20, sort))

    def check_page(
        self,
        response: httpx.Response,
        accept: str,
        frontdoor: str,
        asked: tuple[int, int, str | None],
    ) -> list[str]:
        """The page is the one ``asked`` for (number, size, order), in its form; returns its ids."""
        number, size, sort = asked
        form, every = ACCEPTED[accept], self.listed(frontdoor, sort)
        page = every[number * size : number * size + size]
        shown = [self.shown(e, form) for e in page]
        pages = -(-len(every) // size)
        assert response.status_code == 200, response.text
        if form == "plain":
            assert response.headers["content-type"] == "application/json"
            assert response.json() == {
                "content": shown,
                "pageable": {"pageNumber": number, "pageSize": size},
                "totalElements": len(every),
                "totalPages": pages,
            }
            return [e.id for e in page]
        numbers = {"self": number, "first": 0, "last": max(pages - 1, 0)}
        if number > 0:
            numbers["prev"] = min(number - 1, numbers["last"])
        if number < numbers["last"]:
            numbers["next"] = number + 1
        address, order = _address(frontdoor.lower()), sort or "createdAt"
        assert response.headers["content-type"] == "application/hal+json"
        assert response.json() == {
            **({"_embedded": {"executionList": shown}} if shown else {}),
            "_links": {
                relation: {"href": f"{address}?page={n}&size={size}&sort={order}"}
                for relation, n in numbers.items()
            },
            "page": {
                "size": size,
                "totalElements": len(every),
                "totalPages": pages,
                "number": number,
            },
        }
        return [e.id for e in page]

    @rule(
        accept=st.sampled_from(["*/*", "application/json"]),
        size=st.integers(4, 15),
        sort=st.sampled_from([None, "createdAt,asc", "createdAt,desc", "id", "name,desc"]),
        by=st.sampled_from(["0s", "1ns", "15s", "1h"]),
        arrivals=st.sets(st.integers(0, 8)),
    )
    def walk(self, accept: str, size: int, sort: str | None, by: str, arrivals: set[int]) -> None:
        """Page after page misses nothing, though time passes and executions end and arrive.

        Oldest first, what arrives comes last, so nothing is seen twice either.
        """
        seen: list[str] = []
        there: list[str] = []
        promised = {e.id for e in self.listed(FRONTDOOR, None)}
        number = 0
        while number * size < len(self.listed(FRONTDOOR, None)):
            asked = _given(page=number, size=size, sort=sort)
            response = self.ask("GET", FRONTDOOR, "", DEV, accept, params=asked)
            seen += self.check_page(response, accept, FRONTDOOR, (number, size, sort))
            there = [e.id for e in self.listed(FRONTDOOR, None)]
            self.advance(by)
            if number in arrivals:
                self.advance("1ns")
                self.arrive(FRONTDOOR, "deploy-share", "shop", PROCESSES[number % 4])
            number += 1
        assert promised <= set(seen)
        if sort in {None, "createdAt,asc"}:
            assert seen == there

    @rule(frontdoor=WHERE, who=WHO, wrong=st.sets(st.sampled_from(WRONG), min_size=1, max_size=3))
    def list_wrongly(self, frontdoor: str, who: int, wrong: set[tuple[str, str, str]]) -> None:
        """Wrong values are all told, and say nothing of whether the frontdoor is there."""
        caller = self.caller(who)
        one_each = {name: (value, said) for name, value, said in sorted(wrong)}
        asked = {name: value for name, (value, _) in one_each.items()}
        response = self.ask("GET", frontdoor, "", caller, "*/*", params=asked)
        if not caller.is_known(self.now_ns):
            assert self.is_refused(response, caller, "*/*", frontdoor)
            return
        message = _refused(response, 400, "invalid_request", None)
        for part, name in zip(message.split("; "), sorted(one_each), strict=True):
            assert part.startswith(one_each[name][1])

    # Tokens.

    @rule(
        name=st.sampled_from([*CLIENTS, "nobody"]),
        right=_mostly(True, False),
        asked=st.one_of(st.none(), st.sampled_from([READ, WRITE, f"{WRITE} {READ}"])),
        form=st.sampled_from(["json", "data"]),
    )
    def mint(self, name: str, right: bool, asked: str | None, form: str) -> None:
        """Credentials give a token for an hour, for what the client may; else they give nothing."""
        secret, subject, allowed = CLIENTS.get(name, ("dev-secret", "", ()))
        body = {
            "grant_type": "client_credentials",
            "client_id": name,
            "client_secret": secret if right else "wrong",
            **_given(scope=asked),
        }
        more: dict[str, Any] = {form: body}
        response = self.served.post(
            "/frontdoor/oauth/token", headers={"authorization": None}, **more
        )
        scopes = tuple(sorted(asked.split())) if asked else allowed
        if not subject or not right:
            _refused(response, 401, "unauthorized", "Client credentials are invalid")
        elif not set(scopes) <= set(allowed):
            _refused(response, 400, "invalid_request", f"Value for scope must be of {READ}")
        else:
            assert response.status_code == 200, response.text
            minted = response.json()
            token = minted.pop("access_token")
            assert minted == {
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": " ".join(scopes),
            }
            header = basic(f":{token}") if form == "data" else f"Bearer {token}"
            until_ns = self.now_ns + 3600 * SECOND
            self.minted.append(Caller(header, subject, scopes, until_ns))

    @precondition(lambda self: self.minted)
    @rule()
    def outlive_a_token(self) -> None:
        """A minted token works until the last instant of its hour, and not at its end."""
        caller = self.minted[-1]
        left_ns = (caller.until_ns or 0) - self.now_ns
        if left_ns > 1:
            self.served.world.clock.advance(left_ns - 1)
        for _ in range(2):
            response = self.ask("GET", FRONTDOOR, "/none", caller, "*/*")
            if not self.is_refused(response, caller, "*/*", FRONTDOOR):
                _refused(response, 404, "not_found", "Execution none not found")
            self.advance("1ns")


def _modelled(raw: dict[str, Any], now_ns: int) -> Modelled:
    """An execution of the scenario, as the model has it."""
    started_ns = now_ns + parse_duration(raw["started"])
    end_ns = now_ns + parse_duration(raw["ended"]) if "ended" in raw else None
    return Modelled(
        raw["id"], raw["frontdoor"], raw["process"], raw["name"], started_ns, started_ns, end_ns,
        raw["status"],
    )  # fmt: skip


def _address(frontdoor: str) -> str:
    return f"http://mock.test/frontdoor/{frontdoor}/executions"


def _given(**values: Any) -> dict[str, Any]:
    """The values that are not left out."""
    return {name: value for name, value in values.items() if value is not None}


def _refused(response: httpx.Response, status: int, code: str, message: str | None) -> str:
    """That it is refused so, with these two fields and no other; returns the message."""
    assert response.status_code == status, response.text
    body: dict[str, str] = response.json()
    assert set(body) == {"error", "message"}
    assert body["error"] == code
    assert message in {None, body["message"]}
    return body["message"]


TestFrontdoor = FrontdoorMachine.TestCase
