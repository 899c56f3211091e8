"""Row "list": pages, orders and the two forms."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockexec.simulation.instants import SECOND
from mockexec.simulation.lifecycle import Step
from tests.apis.frontdoor import EXECUTIONS, FRONTDOOR, GLOBEX, HAL, JSON
from tests.support import Served, serve

PROPERTIES = ("id", "processId", "name", "status", "startedAt", "createdAt")


def plain(served: Served, query: str = "") -> Any:
    """The plain JSON page of a query."""
    reply = served.get(f"{EXECUTIONS}?{query}", headers=JSON)
    assert reply.status_code == 200, reply.text
    return reply.json()


def everything(served: Served) -> list[dict[str, Any]]:
    """Every execution of the frontdoor, as the API shows it."""
    content: list[dict[str, Any]] = plain(served, "size=2000")["content"]
    return content


def test_a_page_holds_20_unless_told_otherwise() -> None:
    """Row "list": size is 20 by default and page 0."""
    with serve("frontdoor") as served:
        page = plain(served)
    assert len(page["content"]) == 20
    assert page["pageable"] == {"pageNumber": 0, "pageSize": 20}
    assert (page["totalElements"], page["totalPages"]) == (51, 3)


def test_a_page_may_hold_2000_and_no_more() -> None:
    """Row "list": size goes up to 2000; the next is refused in the documented words."""
    with serve("frontdoor", scenario="busy") as served:
        assert len(plain(served, "size=2000")["content"]) == 2000
        refused = served.get(f"{EXECUTIONS}?size=2001")
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "invalid_request",
        "message": "Value for size must be of Integer at most 2000, got 2001",
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("page=first", "Value for page must be of Integer"),
        ("page=1.5", "Value for page must be of Integer"),
        ("page=-1", "Value for page must be of Integer at least 0, got -1"),
        ("size=0", "Value for size must be of Integer at least 1, got 0"),
        ("size=", "Value for size must be of Integer"),
        ("page=0&page=1", "Value for page must be of Integer given once, was given 2 times"),
    ],
)
def test_a_wrong_page_or_size_is_refused(query: str, message: str) -> None:
    """Row "errors": type errors in the documented words, with the bound that was broken."""
    with serve("frontdoor") as served:
        refused = served.get(f"{EXECUTIONS}?{query}")
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_request", "message": message}


@pytest.mark.parametrize("sort", ["finishedAt", "createdAt,up", "createdAt;desc", "", "NAME"])
def test_an_unknown_order_is_refused(sort: str) -> None:
    """Row "list": an unknown property is a 400 that lists the known ones."""
    with serve("frontdoor") as served:
        refused = served.get(EXECUTIONS, params={"sort": sort})
    assert refused.status_code == 400
    assert refused.json()["error"] == "invalid_request"
    assert refused.json()["message"].startswith("Value for sort must be of property[,asc|desc]")
    assert all(name in refused.json()["message"] for name in PROPERTIES)


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_of_six_properties_orders_the_list(name: str) -> None:
    """Row "list": sort takes six properties; asc is the default and desc its exact reverse."""
    with serve("frontdoor") as served:
        ascending = plain(served, f"sort={name}&size=100")["content"]
        assert plain(served, f"sort={name},asc&size=100")["content"] == ascending
        descending = plain(served, f"sort={name},desc&size=100")["content"]
    values = [one[name] for one in ascending]
    assert values == sorted(values)
    assert len(set(values)) > 1
    assert descending == ascending[::-1]


@pytest.mark.parametrize("direction", ["DESC", "Desc", "ASC", "aSc"])
def test_a_direction_may_be_written_in_capitals(direction: str) -> None:
    """Row "list": the framework behind the vendor's pages reads it so; links repeat it as it is."""
    with serve("frontdoor") as served:
        listed = plain(served, f"sort=name,{direction}")
        assert listed == plain(served, f"sort=name,{direction.lower()}")
        links = served.get(f"{EXECUTIONS}?sort=name,{direction}", headers=HAL).json()["_links"]
    assert links["next"]["href"].endswith(f"sort=name,{direction}")


@pytest.mark.parametrize("sort", ["startedAt", "processId", "name", "status", "createdAt"])
def test_what_is_equal_comes_oldest_first(sort: str) -> None:
    """Two that start at one instant are ordered by when they were asked for, not by their ids."""
    data = {"process_id": "p", "name": "n"}
    with serve("frontdoor", scenario="empty") as served:
        realm = served.realm("frontdoor")
        queued = (Step("running", 10 * SECOND), Step("completed", None))
        realm.start("exe-b", group=FRONTDOOR, plan=queued, data=data)
        served.advance("10s")
        realm.start("exe-a", group=FRONTDOOR, plan=(Step("running"),), data=data)
        listed = plain(served, f"sort={sort}")["content"]
    assert len({one["startedAt"] for one in listed}) == 1
    assert [one["id"] for one in listed] == ["exe-b", "exe-a"]


def test_the_guides_own_order_is_the_default() -> None:
    """Without a sort the oldest comes first, as with the guide's sort=createdAt."""
    with serve("frontdoor") as served:
        assert plain(served) == plain(served, "page=0&size=20&sort=createdAt")


@given(data=st.data())
def test_pages_partition_the_list_in_every_order(data: st.DataObject) -> None:
    """Pages of any size, put together, are the list in the order asked for: none lost or twice."""
    sort = data.draw(st.sampled_from(PROPERTIES)) + data.draw(
        st.sampled_from(["", ",asc", ",desc"])
    )
    size = data.draw(st.integers(1, 60))
    with serve("frontdoor") as served:
        whole = plain(served, f"sort={sort}&size=2000")["content"]
        first = plain(served, f"sort={sort}&size={size}")
        pages = [
            plain(served, f"sort={sort}&size={size}&page={number}")["content"]
            for number in range(first["totalPages"])
        ]
    assert [one for page in pages for one in page] == whole
    assert all(len(page) == size for page in pages[:-1])
    assert first["totalElements"] == len(whole)


@pytest.mark.parametrize("page", [3, 4, 1_000_000, 2**31 - 1])
def test_a_page_past_the_end_is_empty_with_the_true_totals(page: int) -> None:
    """Row "list": a page past the end is empty and tells the totals."""
    with serve("frontdoor") as served:
        assert plain(served, f"page={page}") == {
            "content": [],
            "pageable": {"pageNumber": page, "pageSize": 20},
            "totalElements": 51,
            "totalPages": 3,
        }
        hal = served.get(f"{EXECUTIONS}?page={page}").json()
    assert "_embedded" not in hal
    assert hal["page"] == {"size": 20, "totalElements": 51, "totalPages": 3, "number": page}
    assert hal["_links"]["prev"]["href"].endswith("?page=2&size=20&sort=createdAt")
    assert "next" not in hal["_links"]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/hal+json"),
        ("*/*", "application/hal+json"),
        ("application/*", "application/hal+json"),
        ("application/hal+json", "application/hal+json"),
        ("application/hal+json;as=create", "application/hal+json"),
        ("text/html, */*;q=0.1", "application/hal+json"),
        ("application/json", "application/json"),
        ("application/hal+json;q=0.5, application/json", "application/json"),
        ("application/hal+json;q=0, */*", "application/json"),
    ],
)
def test_accept_chooses_the_form(accept: str | None, form: str) -> None:
    """Row "list": JSON asks for a Spring page; HAL, anything and nothing for HAL."""
    with serve("frontdoor") as served:
        reply = served.get(EXECUTIONS, headers={"accept": accept})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == form
    keys = {"_embedded", "_links", "page"}
    spring = {"content", "pageable", "totalElements", "totalPages"}
    assert set(reply.json()) == (keys if form == "application/hal+json" else spring)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "no"])
def test_neither_form_acceptable_is_406(accept: str) -> None:
    """Row "list": neither acceptable is a 406 in the vendor's envelope."""
    with serve("frontdoor") as served:
        refused = served.get(EXECUTIONS, headers={"accept": accept})
    assert refused.status_code == 406
    assert refused.json()["error"] == "not_acceptable"
    assert "application/hal+json, application/json" in refused.json()["message"]


def test_hal_holds_the_same_executions_with_links() -> None:
    """Row "list": _embedded.executionList is the Spring content plus a link to each."""
    with serve("frontdoor") as served:
        listed = served.get(EXECUTIONS, headers=HAL).json()["_embedded"]["executionList"]
        content = plain(served)["content"]
        for one in listed:
            path = one.pop("_links")["self"]["href"].removeprefix("http://mock.test")
            assert served.get(path, headers=JSON).json() == one
    assert listed == content


def test_hal_links_lead_through_all_pages_and_back() -> None:
    """Row "list": self, first, prev, next and last keep size and order."""
    with serve("frontdoor") as served:
        start = f"http://mock.test{EXECUTIONS}?page=0&size=20&sort=name,desc"
        forward = list(_followed(served, start, "next"))
        backward = list(_followed(served, forward[-1][0], "prev"))
        first, last = forward[0][1].json()["_links"], forward[-1][1].json()["_links"]
        whole = plain(served, "size=100&sort=name,desc")["content"]
    assert [url for url, _ in backward] == [url for url, _ in forward][::-1]
    ids = [one["id"] for _, page in forward for one in page.json()["_embedded"]["executionList"]]
    assert ids == [one["id"] for one in whole]
    assert first["self"]["href"] == first["first"]["href"] == last["first"]["href"] == start
    assert last["self"]["href"] == last["last"]["href"] == first["last"]["href"] == forward[-1][0]
    assert "prev" not in first
    assert "next" not in last


def _followed(served: Served, url: str, relation: str) -> Any:
    while True:
        reply: httpx.Response = served.get(url.removeprefix("http://mock.test"))
        yield url, reply
        link = reply.json()["_links"].get(relation)
        if link is None:
            return
        url = link["href"]


def test_an_empty_list_has_no_embedded_part() -> None:
    """Row "list": of an empty list HAL has links and totals only, as the vendor's sample."""
    with serve("frontdoor", scenario="empty") as served:
        body = served.get(EXECUTIONS).json()
        assert plain(served)["content"] == []
    assert set(body) == {"_links", "page"}
    assert set(body["_links"]) == {"self", "first", "last"}
    assert body["page"] == {"size": 20, "totalElements": 0, "totalPages": 0, "number": 0}


def test_links_keep_the_address_that_the_client_used() -> None:
    """Links begin with the host of the request; a host that is none does not get into them."""
    with serve("frontdoor") as served:
        reply = served.get(EXECUTIONS, headers={"host": "mock.example:8443"})
        hostile = served.get(EXECUTIONS, headers={"host": 'a b"c'})
    wanted = f"http://mock.example:8443{EXECUTIONS}?page=0&size=20&sort=createdAt"
    assert reply.json()["_links"]["self"]["href"] == wanted
    assert hostile.status_code == 200
    assert "a b" not in hostile.text


def test_the_list_holds_the_frontdoors_own_executions_only() -> None:
    """Two frontdoors of one account and one of another have three separate lists."""
    with serve("frontdoor") as served:
        mine = {one["id"] for one in everything(served)}
        groups = {e.id: e.group for e in served.realm("frontdoor").executions.all()}
    assert mine == {id_ for id_, group in groups.items() if group == FRONTDOOR}
    assert GLOBEX in groups.values()


def test_an_unknown_query_parameter_is_let_through() -> None:
    """Parameters that the vendor's client adds (processId, embed) change nothing."""
    with serve("frontdoor", strict=False) as served:
        assert plain(served, "embed=host&processId=abc-123") == plain(served)
    with serve("frontdoor", strict=True) as served:
        refused = served.get(f"{EXECUTIONS}?embed=host")
    assert refused.status_code == 400
    assert "embed" in refused.json()["message"]
