"""What the tests of the command line share."""

from __future__ import annotations

from click.testing import CliRunner, Result

from mockexec.cli import main

PETS = """openapi: 3.0.3
info: {title: Pets, version: "1"}
security: [{key: []}, {oauth: [read]}]
paths:
  /pets:
    get:
      operationId: listPets
      parameters:
        - {name: tags, in: query, required: true, schema: {type: array, items: {type: string}}}
      responses:
        "200":
          description: All of them.
          content: {application/json: {schema: {type: array, items: {type: string}}}}
    post:
      operationId: createPet
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string}}}
      responses: {"201": {description: It is there.}}
  /pets/{id}:
    get:
      operationId: getPet
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200":
          description: It.
          content: {application/json: {schema: {type: object}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /t, scopes: {read: Read}}}}
"""


def run(*arguments: str) -> Result:
    """The command with these arguments, in this process."""
    return CliRunner().invoke(main, list(arguments), prog_name="mockexec")


def assert_one_line(result: Result, *words: str) -> None:
    """Exit code 2 and one line on stderr that has all ``words``."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("mockexec: ")
    for word in words:
        assert word in line
