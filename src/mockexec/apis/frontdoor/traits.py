"""What the frontdoor document promises in prose: see ``mockexec.traits``."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mockexec.simulation.instants import parse_instant
from mockexec.simulation.lifecycle import CANCELLED, COMPLETED, FAILED, TERMINATED
from mockexec.traits import (
    OPEN,
    Answer,
    Ask,
    Auth,
    Control,
    Credential,
    Item,
    Life,
    Limits,
    Listing,
    Minted,
    Moment,
    Order,
    Ownership,
    PageOf,
    Player,
    Problem,
    Promise,
    Refusals,
    Traits,
    Unknown,
    bearer,
)

# The frontdoors of the document's example and of the other account in the default scenario.
_OURS = "3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"
_THEIRS = "c41a9e06-7d25-4f83-9b6e-0f3ad8715c62"
_NOBODYS = "00000000-0000-4000-8000-000000000000"
_ENDED = frozenset({"FINISHED", "FAILED", "CANCELLED"})
_PLAIN = {"Accept": "application/json"}
_HAL = {"Accept": "application/hal+json"}


def _get(identifier: str, frontdoor: str = _OURS, **more: Any) -> Ask:
    path = {"frontdoorId": frontdoor, "id": identifier}
    return Ask("getExecution", path=path, header=_PLAIN, **more)


def _cancel(identifier: str, frontdoor: str = _OURS, **more: Any) -> Ask:
    path = {"frontdoorId": frontdoor, "id": identifier}
    return Ask("cancelExecution", path=path, header=_PLAIN, **more)


def _find(process: str, frontdoor: str = _OURS, **more: Any) -> Ask:
    query = {"processId": process}
    return Ask("findExecution", path={"frontdoorId": frontdoor}, query=query, header=_PLAIN, **more)


def _list(
    page: PageOf, frontdoor: str = _OURS, header: Mapping[str, str] = _PLAIN, **more: Any
) -> Ask:
    wanted = {"page": page.at, "size": page.limit, "sort": page.sort}
    query = {name: value for name, value in wanted.items() if value is not None}
    path = {"frontdoorId": frontdoor}
    return Ask("listExecutions", path=path, query=query, header=header, **more)


_LIFE = Life(
    id=lambda item: str(item["id"]),
    word=lambda item: str(item["status"]),
    states={
        "RUNNING": OPEN,
        "FINISHED": frozenset({COMPLETED}),
        "FAILED": frozenset({FAILED}),
        "CANCELLED": frozenset({CANCELLED, TERMINATED}),
    },
    read=_get,
    moments=(
        Moment("createdAt"),
        Moment("startedAt"),
        Moment("finishedAt", needs=_ENDED, forbids=frozenset({"RUNNING"})),
    ),
    constants=("id", "processId", "name", "createdAt"),
)


def _next(page: PageOf, answer: Answer) -> PageOf | None:
    number = page.at or 0
    more = number + 1 < answer.body["totalPages"]
    return PageOf(page.limit, number + 1, sort=page.sort) if more else None


def _numbers(page: PageOf, answer: Answer) -> Problem | None:
    """What a page says of itself: its number, its size, how many there are."""
    shown, size = answer.body, page.limit or 20
    if shown["pageable"] != {"pageNumber": page.at or 0, "pageSize": size}:
        return Problem(
            "the page does not repeat its number and size as asked for",
            f"pageNumber {page.at or 0}, pageSize {size}",
            str(shown["pageable"]),
        )
    pages = -(-shown["totalElements"] // size)
    if shown["totalPages"] != pages:
        return Problem(
            "totalPages does not follow from totalElements and the size",
            f"{pages} pages of {size} for {shown['totalElements']} executions",
            str(shown["totalPages"]),
        )
    return None


def _order(name: str, key: Callable[[Item], Any], *, ties: bool = True) -> Iterator[Order]:
    oldest: Callable[[Item], Any] | None = (
        (lambda item: parse_instant(item["createdAt"])) if ties else None
    )
    yield Order(name=f"by {name}", key=key, sort=name, ties=oldest, reverse=f"{name},desc")
    yield Order(name=f"by {name},asc", key=key, sort=f"{name},asc", ties=oldest)
    yield Order(name=f"by {name},desc", key=key, sort=f"{name},desc", descending=True)


def _text(name: str) -> Callable[[Item], str]:
    return lambda item: str(item[name])


def _instant(name: str) -> Callable[[Item], int]:
    return lambda item: parse_instant(item[name])


_LIST = Listing(
    operation="listExecutions",
    ask=_list,
    items=lambda body: body["content"],
    next=_next,
    total=lambda answer: int(answer.body["totalElements"]),
    numbers=_numbers,
    everything=PageOf(2000),
    limits=Limits(name="size", default=20, least=1, most=2000, over="refused"),
    orders=(
        Order(name="by createdAt (the default)", key=_instant("createdAt")),
        *_order("createdAt", _instant("createdAt"), ties=False),
        *_order("id", _text("id"), ties=False),
        *_order("processId", _text("processId"), ties=False),
        *_order("name", _text("name")),
        *_order("status", _text("status")),
        *_order("startedAt", _instant("startedAt"), ties=False),
    ),
    same=("id", "processId", "name", "status", "createdAt", "startedAt", "finishedAt"),
    past=lambda total: PageOf(7, total // 7 + 3),
    broken=(
        (PageOf(at=-1), "a negative page"),
        (PageOf(limit=-5), "a negative size"),
        (PageOf(sort="finishedAt"), "a property that cannot be sorted by"),
        (PageOf(sort="createdAt,down"), "a direction that is neither asc nor desc"),
    ),
)


def _cancelled(before: Item, answer: Answer) -> Problem | None:
    shown = answer.body
    if shown["id"] != before["id"] or shown["status"] != "CANCELLED" or not shown["finishedAt"]:
        return Problem(
            "the answer to cancelling does not show the execution as it ended",
            f"{before['id']}, CANCELLED, with finishedAt",
            str(shown),
        )
    return None


def _basic(text: str) -> Mapping[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


def _grant(scope: str = "frontdoor.read frontdoor.write", secret: str = "dev-secret") -> Ask:  # noqa: S107  # the document's example
    body = {
        "grant_type": "client_credentials",
        "client_id": "dev-client",
        "client_secret": secret,
        "audience": "https://gateway.production.netfoundry.io/frontdoor",
        "scope": scope,
    }
    return Ask("createToken", body=body, principal="none")


_FIRST = _list(PageOf(1))
_EVERYTHING = (_FIRST, _get("exe-1"), _find("abc-123"))

_AUTH = Auth(
    broken=(
        Credential(name="a token nobody has", headers=bearer("no-such-token")),
        Credential(name="an empty token", headers={"Authorization": "Bearer"}),
        Credential(name="an unknown scheme", headers={"Authorization": "Digest abc"}),
        Credential(name="Basic with a wrong token", headers=_basic("anyone:no-such-token")),
        Credential(name="Basic that is not base64", headers={"Authorization": "Basic ***"}),
    ),
    expired=(
        Credential(name="an expired token", headers=bearer("frontdoor-expired-token")),
        Credential(
            name="an expired token as Basic", headers=_basic("anyone:frontdoor-expired-token")
        ),
    ),
    weak=(
        (
            Credential(
                name="a token with frontdoor.read only", headers=bearer("frontdoor-weak-token")
            ),
            (_cancel("exe-1"),),
        ),
    ),
    minted=(
        Minted(
            name="a token with both scopes",
            ask=_grant(),
            headers=lambda body: bearer(body["access_token"]),
            good=_EVERYTHING[:1],
            lives_s=lambda body: float(body["expires_in"]),
        ),
        Minted(
            name="a token with frontdoor.read only",
            ask=_grant("frontdoor.read"),
            headers=lambda body: bearer(body["access_token"]),
            good=_EVERYTHING[:1],
            weak=(_cancel("exe-1"),),
        ),
    ),
    also=(("as the password of Basic", lambda token: _basic(f"anyone:{token}")),),
    refused_clients=((_grant(secret="wrong"), "a wrong client secret"),),  # noqa: S106  # as above
)


def _wrong(answer: Answer) -> str | None:
    """The code that belongs to the status; the guide documents three of them."""
    codes = {
        400: "invalid_request", 401: "unauthorized", 403: "not_found", 404: "not_found",
        405: "method_not_allowed", 406: "not_acceptable", 409: "conflict",
        413: "payload_too_large", 415: "unsupported_media_type", 429: "too_many_requests",
    }  # fmt: skip
    body = answer.body
    if not isinstance(body, dict) or set(body) != {"error", "message"}:
        return "is not {error, message}"
    if answer.status in codes and body["error"] != codes[answer.status]:
        return f"has the code {body['error']!r} instead of {codes[answer.status]!r}"
    return None


# Other promises


def _finds_newest(player: Player) -> Iterator[Problem]:
    by_process: dict[str, list[Item]] = defaultdict(list)
    for item in player.items():
        by_process[item["processId"]].append(item)
    several = [p for p, items in by_process.items() if len({i["startedAt"] for i in items}) > 1]
    single = [p for p, items in by_process.items() if len(items) == 1]
    for process in several[:4] + player.random.sample(single, min(2, len(single))):
        newest = max(item["startedAt"] for item in by_process[process])
        answer = player.send(_find(process))
        shown = answer.body if answer.ok else {}
        if shown.get("processId") != process:
            yield Problem(
                "finding by process does not give an execution of that process",
                f"an execution of {process}",
                f"{answer.status} {shown.get('processId')}",
            )
        elif shown["startedAt"] < newest:
            yield Problem(
                "finding by process does not give the execution that started last",
                f"the execution of {process} that started at {newest}",
                f"one that started at {shown['startedAt']}",
            )


def _forms_agree(player: Player) -> Iterator[Problem]:
    """HAL tells what plain JSON tells, and its links lead where they say."""
    size, total = 7, len(player.items())
    last = max(-(-total // size) - 1, 0)
    for number in dict.fromkeys((0, 1, last, last + 2)):
        page = PageOf(size, number, sort="name,desc")
        plain, hal = player.send(_list(page)), player.send(_list(page, header=_HAL))
        # Executions come and go: the two are compared only if nothing moved meanwhile.
        if not (plain.ok and hal.ok) or player.send(_list(page)).body != plain.body:
            continue
        items = hal.body.get("_embedded", {}).get("executionList", [])
        bare = [{k: v for k, v in item.items() if k != "_links"} for item in items]
        if [item["id"] for item in bare] != [item["id"] for item in plain.body["content"]]:
            yield Problem(
                "the HAL page does not hold the executions of the plain page",
                str([item["id"] for item in plain.body["content"]]),
                str([item["id"] for item in bare]),
            )
        pages = hal.body["page"]
        shown = (pages["totalElements"], pages["totalPages"], pages["number"], pages["size"])
        told = (plain.body["totalElements"], plain.body["totalPages"], number, size)
        if shown != told:
            yield Problem(
                "the numbers of the HAL page are not those of the plain page",
                f"(total, pages, number, size) {told}",
                str(shown),
            )
        yield from _links_lead(hal.body["_links"], number, told[1])
        for item in items:
            if not item["_links"]["self"]["href"].endswith(f"/executions/{item['id']}"):
                yield Problem(
                    "an execution's self link leads elsewhere",
                    f"…/executions/{item['id']}",
                    item["_links"]["self"]["href"],
                )
                break


def _links_lead(links: Mapping[str, Any], number: int, pages: int) -> Iterator[Problem]:
    last = max(pages - 1, 0)
    expected: dict[str, int | None] = {
        "self": number,
        "first": 0,
        "last": last,
        "prev": None if number == 0 or not pages else min(number - 1, last),
        "next": number + 1 if number < last else None,
    }
    for name, wanted in expected.items():
        href = links.get(name, {}).get("href")
        query = parse_qs(urlsplit(href or "").query)
        found = None if href is None else query.get("page", ["0"])[0]
        asked = {"size": ["7"], "sort": ["name,desc"]}
        if href is not None and {key: query.get(key) for key in asked} != asked:
            yield Problem(
                f"the {name} link does not keep the size and order of the request",
                "size=7&sort=name,desc",
                href,
                "listExecutions",
            )
        if found != (None if wanted is None else str(wanted)):
            where = "the last page" if number == last else "a page"
            yield Problem(
                f"{where} has a wrong {name} link"
                if wanted is not None
                else f"{where} has a {name} link that leads nowhere",
                f"{name}: " + ("no link" if wanted is None else f"page {wanted}"),
                str(href),
                "listExecutions",
            )


TRAITS = Traits(
    life=_LIFE,
    lists=(_LIST,),
    controls=(
        Control(
            name="cancelling",
            ask=_cancel,
            ends=frozenset({"CANCELLED"}),
            at_once=True,
            answers=_cancelled,
        ),
    ),
    ownership=Ownership(
        reads=lambda identifier: (
            _get(identifier, principal="other"),
            _get(identifier, _THEIRS, principal="other"),
        ),
        changes=lambda identifier: (
            _cancel(identifier, principal="other"),
            _cancel(identifier, _THEIRS, principal="other"),
        ),
        lists=(_list(PageOf(2000), _THEIRS, principal="other"),),
        closed=(
            _list(PageOf(5), _THEIRS),
            _list(PageOf(5), _NOBODYS),
            _list(PageOf(5), principal="other"),
            _find("abc-123", principal="other"),
            _find("glx-17", _THEIRS),
            _find("glx-17"),
        ),
    ),
    auth=_AUTH,
    refusals=Refusals(
        wrong=_wrong,
        unknown=(
            Unknown(_get("exe-nobody-has"), frozenset({404}), "an id that nobody has"),
            Unknown(_cancel("exe-nobody-has"), frozenset({404}), "an id that nobody has"),
            Unknown(_find("process-nobody-has"), frozenset({404}), "a process that nobody has"),
            # No patterns: neither SQL's nor a shell's, and no beginnings.
            Unknown(_find("%"), frozenset({404}), "a pattern as a process"),
            Unknown(_find("abc-12_"), frozenset({404}), "a pattern as a process"),
            Unknown(_find("*"), frozenset({404}), "a pattern as a process"),
            Unknown(_find("abc"), frozenset({404}), "the beginning of a process"),
            Unknown(_get("exe-1", _NOBODYS), frozenset({403}), "a frontdoor that does not exist"),
            Unknown(
                _list(PageOf(1), _NOBODYS), frozenset({403}), "a frontdoor that does not exist"
            ),
        ),
    ),
    no_store=("createToken",),
    promises=(
        Promise("finds the newest", "findExecution", False, _finds_newest),
        Promise("the two forms of a page agree", "listExecutions", False, _forms_agree),
    ),
    settle_s=4 * 3600,
)
