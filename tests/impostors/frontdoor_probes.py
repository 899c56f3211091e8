"""The main story of Frontdoor, and for every planted fault the request that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.impostors.frontdoor import TOKENS

FRONTDOOR = "3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"
STRANGE = "00000000-0000-4000-8000-000000000000"
RUNNING, FINISHED, FAILED = "exe-1", "exe-2", "exe-3"
PLAIN = {"accept": "application/json"}

# So often is looked until something happens; each look takes about two milliseconds.
_LOOKS_MAX = 5_000


def _ask(
    client: httpx.Client,
    below: str,
    *,
    method: str = "GET",
    token: str | None = TOKENS["main"],
    frontdoor: str = FRONTDOOR,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> httpx.Response:
    own = {} if token is None else {"authorization": f"Bearer {token}"}
    path = f"/{frontdoor}/executions{below}"
    return client.request(method, path, headers={**own, **(headers or {})}, **more)


def _page(client: httpx.Client, **query: Any) -> Any:
    response = _ask(client, "", headers=PLAIN, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def _list(client: httpx.Client, **query: Any) -> Any:
    return _page(client, **query)["content"]


def _ids(client: httpx.Client, **query: Any) -> list[str]:
    return [one["id"] for one in _list(client, **query)]


def _links(client: httpx.Client, **query: Any) -> dict[str, str]:
    links = _ask(client, "", params=query).json()["_links"]
    return {name: link["href"] for name, link in links.items()}


def _read(client: httpx.Client, execution_id: str, **more: Any) -> Any:
    return _ask(client, f"/{execution_id}", **more).json()


def _find(client: httpx.Client, process_id: str) -> httpx.Response:
    return _ask(client, ":find", params={"processId": process_id})


def _cancel(client: httpx.Client, execution_id: str, **more: Any) -> httpx.Response:
    return _ask(client, f"/{execution_id}:cancel", method="POST", **more)


def _token(client: httpx.Client, scope: str) -> str:
    body = {
        "grant_type": "client_credentials",
        "client_id": "dev-client",
        "client_secret": "dev-secret",
        "scope": scope,
    }
    token: str = client.post("/oauth/token", json=body).json()["access_token"]
    return token


def story(client: httpx.Client) -> None:
    """See executions arrive and end, list, page, sort, find, cancel, and be refused."""
    _lists(client)
    _follows_links(client)
    _finds(client)
    _cancels(client)
    _refusals(client)
    _arrives(client)


def _lists(client: httpx.Client) -> None:
    executions = _list(client, size=2000)
    assert len(executions) > 60
    times = [(one["createdAt"], one["id"]) for one in executions]
    assert times == sorted(times)
    assert {one["status"] for one in executions} == {"RUNNING", "FINISHED", "FAILED"}
    for one in executions:
        assert (one["finishedAt"] is None) == (one["status"] == "RUNNING")
        assert one["createdAt"] <= one["startedAt"] <= (one["finishedAt"] or "9")
    named = _list(client, size=2000, sort="name,desc")
    keys = [(one["name"], one["createdAt"], one["id"]) for one in named]
    assert keys == sorted(keys, reverse=True)
    beyond = _page(client, page=5000)
    assert (beyond["content"], beyond["pageable"]["pageNumber"]) == ([], 5000)
    assert beyond["totalElements"] >= len(executions)


def _follows_links(client: httpx.Client) -> None:
    """By createdAt, so that what arrives meanwhile comes last."""
    expected = _ids(client, size=2000)
    href: str | None = _links(client, size=7)["first"]
    found: list[str] = []
    while href:
        page = client.get(href, headers={"authorization": f"Bearer {TOKENS['main']}"}).json()
        found += [one["id"] for one in page["_embedded"]["executionList"]]
        href = page["_links"].get("next", {}).get("href")
    assert found[: len(expected)] == expected
    assert len({*found}) == len(found)
    assert "prev" not in _links(client, size=7)
    # Past the end the way back leads to the last page.
    past = _links(client, size=7, page=5000)
    assert (past["prev"], "next" in past) == (past["last"], False)


def _finds(client: httpx.Client) -> None:
    response = _find(client, "abc-123")
    assert response.headers["content-type"] == "application/hal+json"
    model = response.json()
    assert model["id"] == RUNNING
    own = client.get(
        model["_links"]["self"]["href"], headers={"authorization": f"Bearer {TOKENS['main']}"}
    )
    assert own.json() == model
    assert "_links" not in _read(client, RUNNING, headers=PLAIN)
    assert _find(client, "abc-9").json()["message"] == "Execution with processId abc-9 not found"
    assert _find(client, "").status_code == _ask(client, ":find").status_code == 400


def _cancels(client: httpx.Client) -> None:
    cancelled = _cancel(client, RUNNING).json()
    assert cancelled["status"] == "CANCELLED"
    assert cancelled["finishedAt"] > cancelled["startedAt"]
    assert _read(client, RUNNING) == cancelled
    again = _cancel(client, RUNNING)
    assert again.status_code == 409
    assert again.json() == {"error": "conflict", "message": "Execution exe-1 is already CANCELLED"}
    assert _read(client, RUNNING) == cancelled


def _refusals(client: httpx.Client) -> None:
    wrong = _ask(client, "", params={"page": "one"})
    assert wrong.json() == {
        "error": "invalid_request",
        "message": "Value for page must be of Integer",
    }
    assert _ask(client, "", frontdoor="x").status_code == 400
    for path in ("", f"/{FINISHED}", ":find?processId=abc-123"):
        stranger = _ask(client, path, token=TOKENS["other"])
        assert stranger.status_code == 403
        assert stranger.json() == _ask(client, path, token=TOKENS["other"]).json()
        assert stranger.json()["message"] == f"Frontdoor {FRONTDOOR} not found"
        nowhere = _ask(client, path, frontdoor=STRANGE)
        assert (nowhere.status_code, nowhere.json()["error"]) == (403, "not_found")
    reader = _token(client, "frontdoor.read")
    assert _ask(client, "", token=reader).status_code == 200
    assert _cancel(client, FINISHED, token=reader).status_code == 403
    none = _ask(client, "", token=None)
    assert none.status_code == 401
    assert none.headers["www-authenticate"] == 'Bearer realm="frontdoor", Basic realm="frontdoor"'
    assert _ask(client, "", token=None, auth=("anybody", TOKENS["main"])).status_code == 200
    assert _ask(client, "/exe-90000").status_code == 404
    assert _ask(client, f"/{FINISHED}:cancel", method="PUT").headers["allow"] == "POST"
    assert _ask(client, "", headers={"accept": "text/html"}).status_code == 406


def _arrives(client: httpx.Client) -> None:
    (before,) = _ids(client, size=1, sort="createdAt,desc")
    for _ in range(_LOOKS_MAX):
        (newest,) = _list(client, size=1, sort="createdAt,desc")
        if newest["id"] != before:
            break
    assert newest["id"] != before
    for _ in range(_LOOKS_MAX):
        if _list(client, size=1, page=0, sort="createdAt,desc")[0]["status"] != "RUNNING":
            return
    raise AssertionError("nothing that arrives ever ends")


def _shared(client: httpx.Client) -> int:
    return len({*_ids(client, size=5)} & {*_ids(client, size=5, page=1)})


def _descends(client: httpx.Client) -> bool:
    times = [one["createdAt"] for one in _list(client, sort="createdAt,desc")]
    return times == sorted(times, reverse=True)


def _keeps_its_order(client: httpx.Client) -> bool:
    """Five times, as something may arrive in between."""
    query = {"sort": "status", "size": 10, "page": 1}
    return any(_ids(client, **query) == _ids(client, **query) for _ in range(5))


def _statuses(client: httpx.Client) -> set[str]:
    return {_read(client, FINISHED)["status"] for _ in range(3)}


def _ended_before(client: httpx.Client) -> bool:
    return bool(_read(client, FINISHED)["finishedAt"] < _read(client, RUNNING)["startedAt"])


def _failed_in_order(client: httpx.Client) -> bool:
    execution = _read(client, FAILED)
    return bool(execution["startedAt"] <= execution["finishedAt"])


def _cancelled_late(client: httpx.Client) -> tuple[int, str]:
    return _cancel(client, FINISHED).status_code, _read(client, FINISHED)["status"]


def _after_cancel(client: httpx.Client) -> tuple[str, bool]:
    _cancel(client, RUNNING)
    execution = _read(client, RUNNING)
    return execution["status"], execution["finishedAt"] is None


def _reader_cancels(client: httpx.Client) -> int:
    return _cancel(client, RUNNING, token=_token(client, "frontdoor.read")).status_code


def _any_password(client: httpx.Client) -> int:
    return _ask(client, "", token=None, auth=("anybody", "wrong")).status_code


def _full_pages(client: httpx.Client) -> int:
    return int(_page(client, size=2000)["totalPages"])


PROBES: dict[str, Callable[[httpx.Client], object]] = {
    "page-repeats-last": _shared,
    "page-counted-from-one": _shared,
    "last-page-next": lambda client: "next" in _links(client, size=2000),
    "next-loses-sort": lambda client: "sort=name,desc" in _links(client, sort="name,desc")["next"],
    "total-of-the-page": lambda client: _page(client, size=5)["totalElements"] > 5,
    "total-pages-rounded-down": _full_pages,
    "past-the-end-no-total": lambda client: _page(client, page=5000)["totalElements"] > 0,
    "size-capped": lambda client: len(_list(client, size=2000)) > 50,
    "sort-desc-ignored": _descends,
    "sort-unstable": _keeps_its_order,
    "sort-unknown-accepted": lambda client: _ask(client, "", params={"sort": "x"}).status_code,
    "state-goes-back": _statuses,
    "running-with-end": lambda client: _read(client, RUNNING)["finishedAt"] is None,
    "end-moves": _ended_before,
    "failed-ends-before-start": _failed_in_order,
    "cancel-finished": _cancelled_late,
    "cancel-does-nothing": _after_cancel,
    "cancelled-without-end": _after_cancel,
    "other-token-reads": lambda client: _ask(client, "/exe-1", token=TOKENS["other"]).status_code,
    "other-token-cancels": lambda client: (
        _cancel(client, RUNNING, token=TOKENS["other"]).status_code
    ),
    "read-token-cancels": _reader_cancels,
    "basic-any-password": _any_password,
    "unknown-frontdoor-404": lambda client: _ask(client, "", frontdoor=STRANGE).status_code,
    "find-oldest": lambda client: _find(client, "abc-123").json()["id"],
    "find-like": lambda client: _find(client, "%").status_code,
    "find-quote-500": lambda client: _find(client, "o'clock").status_code,
    "missing-challenge": lambda client: "www-authenticate" in _ask(client, "", token=None).headers,
    "conflict-other-shape": lambda client: sorted(_cancel(client, FINISHED).json()),
}
