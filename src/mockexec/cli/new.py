"""``mockexec new``."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from string import Template

import click

from mockexec import catalog
from mockexec.api import Api
from mockexec.errors import UsageError
from mockexec.server.generic import generic_api
from mockexec.spec.load import load_document
from mockexec.spec.operations import SecurityScheme

_TEMPLATES = Path(__file__).parent / "templates"
_MODULES = ("handlers", "errors", "auth", "populate")
_SCENARIOS = ("busy", "empty", "failing", "huge")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)


@click.command("new")
@click.argument("name")
@click.option(
    "--spec",
    "document",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The OpenAPI document of the new API.",
)
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write. [default: here]",
)
def command(name: str, document: Path, folder: Path) -> None:
    """Write the files of a new API: in a checkout of mockexec a folder, elsewhere a package.

    It can be served at once, answering from its document; handlers bring it to life.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name: small letters, digits and _, a letter first")
    if name in catalog.names():
        raise UsageError(f"there is an API {name!r} already")
    loaded = load_document(document)
    if len(loaded.files) > 1:
        raise UsageError(f"{document} refers to other files; bring them into one first")
    api = generic_api(loaded, name)
    is_checkout = (folder / "src/mockexec/apis").is_dir()
    files = _in_checkout(api) if is_checkout else _as_package(api)
    specs = "specs" if is_checkout else f"{name}/src/mockexec_{name}"
    files[f"{specs}/{name}.yaml"] = document.read_bytes().decode()
    _write(folder, files)
    for path in files:
        click.echo(folder / path)
    install = "" if is_checkout else f"pip install -e {shlex.quote(str(folder / name))} && "
    click.echo(f"Now: {install}mockexec serve --api {name}", err=True)


def _write(folder: Path, files: dict[str, str]) -> None:
    """Writes all or nothing: a file that is there is never replaced."""
    for path in files:
        if (folder / path).exists():
            raise UsageError(f"{folder / path} is there already; nothing was written")
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def _in_checkout(api: Api) -> dict[str, str]:
    name = api.name
    imports = f"""
from mockexec.api import Dialect, handlers_of
from mockexec.apis.{name} import auth, errors, handlers
from mockexec.apis.{name}.populate import MODEL
"""
    test_body = f"""    apis = [catalog.api("{name}")]
    mock = Mock(apis, catalog.scenario, scenario=scenario, clock=Clock("frozen"))"""
    return {
        **_modules(api, f"src/mockexec/apis/{name}", imports=imports, plugin=""),
        **_fixtures(api, f"fixtures/{name}"),
        f"tests/apis/{name}/__init__.py": "",
        f"tests/apis/{name}/test_{name}.py": _filled(
            "test_api.py",
            api,
            test_imports="from mockexec import catalog",
            last_imports="",
            test_body=test_body,
        ),
    }


def _as_package(api: Api) -> dict[str, str]:
    name = api.name
    package = f"mockexec_{name}"
    home = f"{name}/src/{package}"
    imports = f"""
from pathlib import Path

from mockexec.api import Dialect, handlers_of
from mockexec.catalog import Plugin
from {package} import auth, errors, handlers
from {package}.populate import MODEL

_HERE = Path(__file__).parent
"""
    plugin = f"""
# What the entry point in pyproject.toml names.
PLUGIN = Plugin(DIALECT, _HERE / "{name}.yaml", _HERE / "fixtures" / "{name}")"""
    test_imports = f"""from {package} import PLUGIN
from mockexec.api import make_api
from mockexec.scenarios import load_scenario"""
    test_body = """    api = make_api(load_document(PLUGIN.document), PLUGIN.dialect)
    mock = Mock(
        [api],
        lambda name, wanted: load_scenario(name, PLUGIN.fixtures, wanted),
        scenario=scenario,
        clock=Clock("frozen"),
    )"""
    common = (catalog.data_folder("fixtures") / "common.schema.json").read_text(encoding="utf-8")
    return {
        f"{name}/pyproject.toml": _filled("pyproject.toml", api),
        **_modules(api, home, imports=imports, plugin=plugin),
        **_fixtures(api, f"{home}/fixtures/{name}"),
        f"{home}/fixtures/common.schema.json": common,
        f"{name}/tests/test_{name}.py": _filled(
            "test_api.py",
            api,
            test_imports=test_imports,
            last_imports="\nfrom mockexec.spec.load import load_document",
            test_body=test_body,
        ),
    }


def _modules(api: Api, folder: str, *, imports: str, plugin: str) -> dict[str, str]:
    return {
        f"{folder}/__init__.py": _filled("init.py", api, imports=imports, plugin=plugin).rstrip()
        + "\n",
        **{f"{folder}/{name}.py": _filled(f"{name}.py", api) for name in _MODULES},
    }


def _fixtures(api: Api, folder: str) -> dict[str, str]:
    return {
        f"{folder}/schema.json": _filled("schema.json", api),
        f"{folder}/default.yaml": _filled("default.yaml", api),
        **{f"{folder}/{name}.yaml": _filled("scenario.yaml", api) for name in _SCENARIOS},
    }


def _filled(template: str, api: Api, **more: str) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(
        name=api.name,
        dashed=api.name.replace("_", "-"),
        title=_one_line(api.title) or api.name,
        verifiers=", ".join(
            f"{json.dumps(name)}: auth.verifier({_place(scheme)})"
            for name, scheme in api.security_schemes.items()
        ),
        scopes=", ".join(json.dumps(scope) for scope in _scopes(api)),
        **more,
    )


def _one_line(text: str) -> str:
    """A title as it may stand in a docstring."""
    return " ".join(text.replace("\\", " ").replace('"', "'").split())


def _place(scheme: SecurityScheme) -> str:
    if scheme.type == "apiKey":
        return f"{json.dumps(scheme.location)}, {json.dumps(scheme.parameter)}"
    return '"basic"' if scheme.scheme == "basic" else '"bearer"'


def _scopes(api: Api) -> list[str]:
    """Every scope that an operation asks for."""
    return sorted(
        {
            scope
            for operation in api.operations
            for alternative in operation.security
            for scopes in alternative.values()
            for scope in scopes
        }
    )
