"""What is served, how it does, and why it answers as it does."""

from __future__ import annotations

from typing import Any

from mockexec.api import Api
from mockexec.http.call import Call, Reply
from mockexec.server.examples import Examples
from mockexec.server.explain import Explainer
from mockexec.server.mock import CONTROL, Mock


class ServedControl:
    """The mock as a whole."""

    operations = ("getHealth", "listApis", "explain", "getMetrics")

    def __init__(self, mock: Mock, explainer: Explainer) -> None:
        self._mock = mock
        self._explainer = explainer
        self._examples = {name: Examples(api) for name, api in mock.apis.items()}

    async def get_health(self, call: Call) -> Reply:
        """Alive."""
        del call
        return Reply(200, {"status": "ok"})

    async def list_apis(self, call: Call) -> Reply:
        """Every API with what one needs to call it."""
        return Reply(200, [self._api_view(call, api) for api in self._mock.apis.values()])

    async def explain(self, call: Call) -> Reply:
        """What would be answered, and why; in a copy of the caller's world."""
        return Reply(200, await self._explainer.explain(call.session, call.body))

    async def get_metrics(self, call: Call) -> Reply:
        """Counters of the server, and the size of the caller's world."""
        text = self._mock.metrics.text(call.world, sessions=len(self._mock.sessions))
        return Reply(200, text.encode(), (), "text/plain; version=0.0.4; charset=utf-8")

    def _api_view(self, call: Call, api: Api) -> dict[str, Any]:
        # The APIs of a session lie beside its control API.
        base_url = call.base_url.removesuffix(CONTROL) + api.name
        realm = call.world.realms[api.name]
        return {
            "name": api.name,
            "title": api.title,
            "base_url": base_url,
            "spec_url": f"{base_url}/openapi.json",
            "docs_url": f"{base_url}/docs",
            "token": api.dialect.development_token(realm),
            "scenario": realm.scenario.name,
            "operations": [
                {
                    "operation_id": operation.id,
                    "method": operation.method,
                    "path": operation.path,
                    "example": None
                    if (request := self._examples[api.name].request(operation, realm)) is None
                    else request.at(base_url).as_data(),
                }
                for operation in api.operations
            ],
        }
