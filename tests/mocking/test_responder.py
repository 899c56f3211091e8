"""Operations without a handler, answered from documents, over HTTP."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from mockexec.server.generic import generic_api
from mockexec.spec.load import load_document
from tests.support import Served, serve

PET = {
    "type": "object",
    "required": ["id", "name"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "name": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "parent": {"$ref": "#/components/schemas/Pet"},
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets", "version": "1"},
    "components": {"schemas": {"Pet": PET}},
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "responses": {
                    "206": {"description": "some"},
                    "200": {
                        "description": "pets",
                        "headers": {
                            "X-Total": {"schema": {"type": "integer"}, "example": 2},
                            "X-Region": {"required": True, "schema": {"enum": ["eu", "us"]}},
                        },
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "array",
                                    "items": {"$ref": "#/components/schemas/Pet"},
                                },
                                "examples": {
                                    "two": {"value": [{"id": 1, "name": "Rex"}]},
                                    "none at all": {"value": []},
                                    "broken": {"value": [{"id": "one"}]},
                                },
                            },
                            "text/plain": {"schema": {"type": "string"}, "example": "Rex"},
                        },
                    },
                    "404": {
                        "description": "none",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object"},
                                "examples": {"gone": {"value": {"why": "gone"}}},
                            }
                        },
                    },
                    "5XX": {"description": "broken"},
                },
            }
        },
        "/pets/{id}": {
            "get": {
                "operationId": "getPet",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {
                    "200": {
                        "description": "a pet",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                        },
                    }
                },
            },
            "delete": {
                "operationId": "deletePet",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {"204": {"description": "gone"}},
            },
        },
    },
}


def _api(document: dict[str, Any] = DOCUMENT) -> Any:
    return generic_api(load_document(copy.deepcopy(document)), "pets")


def _one(response: dict[str, Any], version: str = "3.0.3") -> Any:
    """An API with one operation, ``GET /``, and one response to it."""
    return _api(
        {
            "openapi": version,
            "info": {"title": "One", "version": "1"},
            "paths": {"/": {"get": {"operationId": "one", "responses": response}}},
        }
    )


def _prefer(served: Served, *preferences: str, path: str = "/pets/pets") -> Any:
    return served.get(path, headers={"prefer": ", ".join(preferences)})


def test_the_lowest_success_answers_with_its_first_example() -> None:
    """Without a preference: the lowest documented 2xx, its first named example that fits."""
    with serve(_api()) as served:
        response = served.get("/pets/pets")
        assert response.status_code == 200
        assert response.json() == [{"id": 1, "name": "Rex"}]
        assert response.headers["content-type"] == "application/json"


def test_headers_come_from_examples_or_schemas() -> None:
    """A documented header has its example, else a value that its schema admits."""
    with serve(_api()) as served:
        response = served.get("/pets/pets")
        assert response.headers["x-total"] == "2"
        assert response.headers["x-region"] in {"eu", "us"}


def test_the_accepted_media_type_answers() -> None:
    """The body is in the media type that the client accepts."""
    with serve(_api()) as served:
        response = served.get("/pets/pets", headers={"accept": "text/plain"})
        assert response.headers["content-type"] == "text/plain"
        assert response.text == "Rex"


def test_prefer_example_selects_a_named_example() -> None:
    """``Prefer: example=NAME`` answers with that example, also if its name has spaces."""
    with serve(_api()) as served:
        response = _prefer(served, 'example="none at all"')
        assert response.json() == []
        assert response.headers["preference-applied"] == "example=none at all"


def test_prefer_example_that_is_not_there_is_refused() -> None:
    """An unknown example is a 400 that lists those there are; a broken one is not there."""
    with serve(_api(), strict=False) as served:
        for name in ("three", "broken"):
            response = _prefer(served, f"example={name}")
            assert response.status_code == 400
            assert "two, none at all" in response.json()["detail"]
            assert response.json()["violations"][0]["in"] == "header"


def test_prefer_code_answers_with_that_status() -> None:
    """``Prefer: code`` takes an exact status or one of a documented range."""
    with serve(_api()) as served:
        assert _prefer(served, "code=404").json() == {"why": "gone"}
        assert _prefer(served, "code=404").status_code == 404
        assert _prefer(served, "code=503").status_code == 503


def test_prefer_code_that_is_not_documented_is_refused() -> None:
    """An undocumented status is a 400 that lists the documented ones."""
    with serve(_api(), strict=False) as served:
        for code in ("418", "abc", "99", "0200"):
            response = _prefer(served, f"code={code}")
            assert response.status_code == 400
            assert "206, 200, 404, 5XX" in response.json()["detail"]


def test_preferences_are_combined() -> None:
    """Several preferences apply together, in one header or in two."""
    with serve(_api(), strict=False) as served:
        assert _prefer(served, "code=404", "example=gone").json() == {"why": "gone"}
        assert _prefer(served, "code=404", "example=two").status_code == 400
        assert _prefer(served, "Code = 200; x=1", "respond-async", 'example="two"').json() != []


def test_the_first_of_repeated_preferences_counts() -> None:
    """RFC 7240, section 2: a repeated preference is ignored."""
    with serve(_api()) as served:
        assert _prefer(served, "code=404", "code=503").status_code == 404


def test_prefer_dynamic_generates() -> None:
    """``Prefer: dynamic=true`` generates where there are examples, validly and anew each time."""
    with serve(_api()) as served:
        bodies = [_prefer(served, "dynamic=true").json() for _ in range(10)]
        assert all(pet["id"] >= 1 and "@" in pet.get("email", "@") for b in bodies for pet in b)
        assert len({str(body) for body in bodies}) > 1


def test_hostile_preferences_do_no_harm() -> None:
    """Whatever stands in the header, the answer is a success or a refusal."""
    with serve(_api(), strict=False) as served:
        for value in ('example="', "code=", "=;,", 'a="\\', ";" * 5000, 'code="404', "~=^"):
            response = served.get("/pets/pets", headers={"prefer": value})
            assert response.status_code in {200, 400}


def test_generated_bodies_fit_their_schema_and_end() -> None:
    """A recursive schema without examples gives bodies that fit it."""
    with serve(_api()) as served:
        response = served.get("/pets/pets/7")
        assert response.status_code == 200
        assert response.json()["id"] >= 1
        assert list(response.json())[:2] == ["id", "name"]


def test_204_has_no_body() -> None:
    """A response without content has neither body nor content type."""
    with serve(_api()) as served:
        response = served.request("DELETE", "/pets/pets/7")
        assert response.status_code == 204
        assert response.content == b""
        assert "content-type" not in response.headers


def test_same_seed_same_bytes() -> None:
    """The same requests in the same order give the same bytes for one seed, others for another."""

    def answers(seed: int) -> list[bytes]:
        with serve(_api(), seed=seed) as served:
            return [
                served.get(path, headers={"prefer": "dynamic=true"}).content
                for path in ("/pets/pets/1", "/pets/pets", "/pets/pets/1", "/pets/pets/2")
            ]

    assert answers(1) == answers(1)
    assert answers(1) != answers(2)


def test_a_broken_example_is_reported_once_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An example that breaks its schema is warned about at start and never sent."""
    with caplog.at_level(logging.WARNING, "mockexec"), serve(_api()) as served:
        warned = [record for record in caplog.records if "'broken'" in record.getMessage()]
        assert len(warned) == 1
        assert "/0/name is missing" in warned[0].getMessage()
        caplog.clear()
        assert served.get("/pets/pets").status_code == 200
        assert not caplog.records


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        ({"2XX": {"description": "any"}}, 200),
        ({"default": {"description": "any"}}, 200),
        ({"404": {"description": "none"}, "302": {"description": "there"}}, 302),
        ({"404": {"description": "none"}, "400": {"description": "no"}}, 400),
        ({"202": {"description": "taken"}, "default": {"description": "no"}}, 202),
    ],
)
def test_the_usual_status(responses: dict[str, Any], status: int) -> None:
    """What answers when nothing is preferred, for all ways of documenting responses."""
    with serve(_one(responses)) as served:
        assert served.get("/pets/").status_code == status


@pytest.mark.parametrize(
    ("media_type", "schema", "body"),
    [
        (
            "application/xml",
            {"type": "object", "properties": {"a": {"enum": ["<"]}}},
            "<a>&lt;</a>",
        ),
        ("text/csv", {"enum": ["a,b"]}, "a,b"),
        ("text/event-stream", {"enum": [{"a": 1}]}, 'data: {"a":1}\n\n'),
        ("application/x-ndjson", {"enum": [[1, 2]]}, "1\n2\n"),
        ("application/hal+json", {"enum": ["x"]}, '"x"'),
        ("application/x-www-form-urlencoded", {"enum": [{"a": "b c"}]}, "a=b+c"),
    ],
)
def test_other_formats(media_type: str, schema: dict[str, Any], body: str) -> None:
    """Generated values are written in the documented format."""
    api = _one({"200": {"description": "ok", "content": {media_type: {"schema": schema}}}})
    with serve(api) as served:
        response = served.get("/pets/")
        assert response.headers["content-type"] == media_type
        assert body in response.text


def test_a_31_document() -> None:
    """OpenAPI 3.1: types in lists, const, examples in schemas."""
    schema = {
        "type": "object",
        "required": ["kind", "note", "size"],
        "properties": {
            "kind": {"const": "pet"},
            "note": {"type": ["string", "null"]},
            "size": {"type": "integer", "examples": [12]},
        },
    }
    content = {"application/json": {"schema": schema}}
    api = _one({"200": {"description": "ok", "content": content}}, "3.1.0")
    with serve(api) as served:
        body = served.get("/pets/").json()
        assert body["kind"] == "pet"
        assert body["size"] == 12
        assert body["note"] is None or isinstance(body["note"], str)


def test_a_20_document() -> None:
    """OpenAPI 2.0: produces, examples by media type, definitions."""
    api = _api(
        {
            "swagger": "2.0",
            "info": {"title": "Two", "version": "1"},
            "produces": ["application/json"],
            "definitions": {"Pet": {"type": "object", "properties": {"id": {"type": "integer"}}}},
            "paths": {
                "/pet": {
                    "get": {
                        "operationId": "getPet",
                        "responses": {
                            "200": {
                                "description": "ok",
                                "schema": {"$ref": "#/definitions/Pet"},
                                "examples": {"application/json": {"id": 3}},
                            }
                        },
                    }
                }
            },
        }
    )
    with serve(api) as served:
        assert served.get("/pets/pet").json() == {"id": 3}
        assert isinstance(_prefer(served, "dynamic=true", path="/pets/pet").json()["id"], int)
