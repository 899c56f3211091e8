"""Loading: what a file may be, what it means, and what is refused with which line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockexec.errors import DocumentError
from mockexec.spec.load import Document, load_document
from tests.spec.support import document, write

HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\n"


def load_text(tmp_path: Path, text: str, name: str = "api.yaml") -> Document:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_document(path)


def refusal(tmp_path: Path, text: str | bytes, name: str = "api.yaml") -> DocumentError:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DocumentError) as caught:
        load_document(path)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("2025-08-11", "2025-08-11"),
        ("2025-08-11T09:00:00Z", "2025-08-11T09:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("nUll", "nUll"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!float 1", 1.0),
        ("!!int '3'", 3),
        ("\u0665", "\u0665"),  # the Arabic digit five
        ("<<", "<<"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(
    tmp_path: Path, text: str, value: object
) -> None:
    """YAML 1.2, 10.3.2: nothing but null, booleans and numbers is special."""
    found = load_text(tmp_path, f"{HEAD}x-value: {text}\n").raw["x-value"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_written(tmp_path: Path) -> None:
    """A status code, a boolean or a null as a key is text."""
    loaded = load_text(tmp_path, HEAD + "x-map: {200: a, no: b, null: c, 1.0: d, 0x10: e}\n")
    assert loaded.raw["x-map"] == {"200": "a", "no": "b", "null": "c", "1.0": "d", "0x10": "e"}


def test_merge_keys_are_merged(tmp_path: Path) -> None:
    """What stands beside ``<<`` wins over what is merged; of several, the first wins."""
    loaded = load_text(
        tmp_path,
        HEAD + "x-a: &a {one: 1, two: 1}\nx-b: &b {two: 2, three: 2}\n"
        "x-c: {<<: [*a, *b], three: 3}\nx-d: {<<: *a}\n",
    )
    assert loaded.raw["x-c"] == {"one": 1, "two": 1, "three": 3}
    assert loaded.raw["x-d"] == {"one": 1, "two": 1}


def test_json_is_read_as_json_under_any_name(tmp_path: Path) -> None:
    """A YAML file may hold JSON; tabs and long keys are no problem then."""
    text = json.dumps({"openapi": "3.1.0", "x": {"k" * 2000: 1}}, indent="\t")
    assert load_text(tmp_path, text).version == "3.1"


def test_a_yaml_flow_mapping_is_no_broken_json(tmp_path: Path) -> None:
    """A document that starts with a brace need not be JSON, unless its name says so."""
    text = "{openapi: 3.0.3, info: {}, paths: {}}"
    assert load_text(tmp_path, text).version == "3.0"
    assert refusal(tmp_path, text, "api.json").line == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HEAD + "info: {}\n", 4, "'info' is there twice"),
        (HEAD + "x-a:\n  b: 1\n  c: 2\n  b: 3\n", 7, "'b' is there twice"),
        (HEAD + "x-a: [1\n", 5, "not YAML"),
        (HEAD + "x-a: .inf\n", 4, "is not a JSON value"),
        (HEAD + "x-a: 1e999\n", 4, "too large"),
        (HEAD + "x-a: !!binary aGk=\n", 4, "the YAML tag"),
        (HEAD + "x-a: !mine {}\n", 4, "the YAML tag"),
        (HEAD + "x-a: !!int x\n", 4, "is no int"),
        (HEAD + "? [a]\n: 1\n", 4, "a key must be plain text"),
        (HEAD + "x-a: *nothing\n", 4, "names nothing"),
        (HEAD + "x-a: &a\n  b: *a\n", 5, "inside what it names"),
        (HEAD + "x-a: {<<: 5}\n", 4, "needs a mapping"),
        (HEAD + "---\n", 4, "second YAML document"),
        (HEAD + 'x-a: "\\ud800"\n', 4, "not YAML"),
        (HEAD + "x-a: " + "9" * 5000 + "\n", 4, "limit"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    """The message names the file and the line of the mistake."""
    error = refusal(tmp_path, text)
    assert message in str(error)
    assert error.line == line
    assert str(error).startswith(f"{tmp_path / 'api.yaml'}:{line}: ")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('{"openapi": "3.0.3",\n "paths": {},\n "paths": {}}', 3, '"paths" is there twice'),
        ('{"openapi": "3.0.3",\n "x": [1, {"a": 1,\n "a": 2}]}', 3, '"a" is there twice'),
        ('{"openapi": "3.0.3",\n}', 2, "not JSON"),
        ('{"openapi": NaN}', None, "NaN is not a JSON value"),
        ('{"x": "\\ud800"}', None, "half of a surrogate pair"),
        ('{"x": ' + "9" * 5000 + "}", None, "limit"),
        ("[" * 100_000, None, "nested deeper"),
        ("[" * 101 + "]" * 101, None, "nested deeper"),
        ("", 1, "not JSON"),
    ],
)
def test_bad_json_is_refused(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    """JSON is held to the same bounds, and duplicate keys are found."""
    error = refusal(tmp_path, text, "api.json")
    assert message in str(error)
    assert error.line == line


@pytest.mark.parametrize(
    "text",
    [
        "[" * 300_000,
        "{a: " * 300_000,
        HEAD + "x-a:\n" + "".join("  " * i + "- \n" for i in range(1, 200)) + "  " * 200 + "- 1",
        HEAD + "x-a: " + "- " * 100_000,
        "? " * 100_000,
    ],
)
def test_deep_yaml_is_refused_quickly(tmp_path: Path, text: str) -> None:
    """Depth is bounded while reading, so no parser stack overflows."""
    assert refusal(tmp_path, text).line is not None


def test_aliases_may_not_expand_without_bound(tmp_path: Path) -> None:
    """A few lines that would expand to a billion values are refused."""
    lines = ["x-0: &a0 [1, 2]"]
    lines += [f"x-{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    error = refusal(tmp_path, HEAD + "\n".join(lines))
    assert "once its aliases are expanded" in str(error)


def test_aliases_may_not_nest_without_bound(tmp_path: Path) -> None:
    """Depth counts what aliases bring."""
    lines = ["x-0: &a0 []", *(f"x-{i}: &a{i} [[*a{i - 1}]]" for i in range(1, 60))]
    assert "nested deeper than 100 levels" in str(refusal(tmp_path, HEAD + "\n".join(lines)))


def test_a_file_of_more_than_32_mib_is_refused(tmp_path: Path) -> None:
    """Size is looked at before content."""
    assert "larger than 32 MiB" in str(refusal(tmp_path, HEAD + "#" * (32 * 1024 * 1024)))


def test_text_must_be_utf_8(tmp_path: Path) -> None:
    """Another encoding is refused with the line of its first byte; a byte order mark is fine."""
    assert refusal(tmp_path, HEAD.encode() + b"x-a: \xff\n").line == 4
    assert load_text(tmp_path, "\ufeff" + HEAD).version == "3.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not an OpenAPI document"),
        ("- 1", "not an OpenAPI document"),
        ("info: {}", "no openapi or swagger key"),
        ("openapi: 4.0.0\npaths: {}", "no version from 2.0 to 3.2"),
        ("openapi: 3.3.0\npaths: {}", "no version from 2.0 to 3.2"),
        ("swagger: '1.2'\npaths: {}", "no version from 2.0 to 3.2"),
        ("openapi: 3.0.3", "paths is missing"),
        ("openapi: 3.0.3\npaths: []", "paths is not a mapping"),
        ("openapi: 3.1.0\npaths: 5", "paths is not a mapping"),
    ],
)
def test_what_is_no_openapi_document_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A file that is something else says so plainly."""
    assert message in str(refusal(tmp_path, text))


@pytest.mark.parametrize(
    ("head", "version"),
    [
        ("swagger: 2.0", "2.0"),
        ("swagger: '2.0'", "2.0"),
        ("openapi: 3.0.0", "3.0"),
        ("openapi: 3.1", "3.1"),
        ("openapi: 3.2.0", "3.2"),
    ],
)
def test_versions_are_told_apart(tmp_path: Path, head: str, version: str) -> None:
    """The version is known by its first two numbers, quoted or not."""
    loaded = load_text(tmp_path, f"{head}\ninfo: {{title: A}}\npaths: {{}}\n")
    assert (loaded.version, loaded.title) == (version, "A")


def test_a_missing_file_is_an_error_about_the_document(tmp_path: Path) -> None:
    """No traceback for a wrong path, or for a directory."""
    with pytest.raises(DocumentError, match="cannot be read: No such file"):
        load_document(tmp_path / "nothing.yaml")
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        load_document(str(tmp_path))


def test_a_mapping_is_copied(tmp_path: Path) -> None:
    """A document given as a mapping no longer depends on it; its source is its JSON."""
    info = {"title": "before"}
    loaded = load_document({"openapi": "3.0.3", "info": info, "paths": {}})
    info["title"] = "after"
    assert loaded.raw["info"] == {"title": "before"}
    assert json.loads(loaded.source) == loaded.raw
    assert loaded.uri == "mem:document"
    path = tmp_path / "a b.yaml"
    path.write_text(HEAD)
    assert load_document(path).source == HEAD.encode()
    assert load_document(path).uri == path.as_uri()


@pytest.mark.parametrize("value", [object(), float("nan"), b"x", {1: 1, "1": 2}])
def test_a_mapping_must_hold_json(value: object) -> None:
    """What JSON cannot write is refused, not guessed."""
    with pytest.raises(DocumentError):
        document("3.0.3", **{"x-a": value})


def test_a_cyclic_mapping_is_refused() -> None:
    """A Python structure that holds itself is no document."""
    cycle: dict[str, object] = {}
    cycle["self"] = cycle
    with pytest.raises(DocumentError, match="not JSON types"):
        document("3.0.3", **{"x-a": cycle})


def test_locations_are_lines_of_keys(tmp_path: Path) -> None:
    """A place is named by the line its key is on, in YAML and in JSON."""
    path = write(
        tmp_path,
        api="""\
        openapi: 3.0.3
        info:
          title: T
        paths:
          /a:
            get:
              tags:
                - one
                - two
              responses: {'200': {description: ok}}
        """,
    )
    loaded = load_document(path)
    for pointer, line in {
        "": 1,
        "/info": 2,
        "/info/title": 3,
        "/paths/~1a/get": 6,
        "/paths/~1a/get/tags/1": 9,
        "/paths/~1a/get/responses/200/description": 10,
        "/paths/~1a/get/nothing": 6,
    }.items():
        assert loaded.location(loaded.uri, pointer) == f"{path}:{line}", pointer
    as_json = tmp_path / "api.json"
    as_json.write_text(json.dumps(loaded.raw, indent=1))
    again = load_document(as_json)
    lines = as_json.read_text().splitlines()
    for pointer, text in {"/info/title": '"title"', "/paths/~1a/get/tags/1": '"two"'}.items():
        line = int(again.location(again.uri, pointer).rsplit(":", 1)[1])
        assert text in lines[line - 1]


def test_locations_in_the_working_directory_are_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages show short paths."""
    path = write(tmp_path / "specs", api=HEAD)
    monkeypatch.chdir(tmp_path)
    loaded = load_document(path)
    assert loaded.location(loaded.uri, "/info") == "specs/api.yaml:2"


def test_at_names_what_is_not_there() -> None:
    """A pointer that leads nowhere, or into no file, is an error of the document's kind."""
    loaded = document()
    assert loaded.at(loaded.uri, "/info/title") == "T"
    for uri, pointer in [(loaded.uri, "/nothing"), (loaded.uri, "x"), ("file:///none", "")]:
        with pytest.raises(DocumentError):
            loaded.at(uri, pointer)
