"""NetFoundry Frontdoor, decision by decision."""

from __future__ import annotations

FRONTDOOR = "3d6d2b6e-6c7a-4a7f-8c3d-9a9d2e1f0b1c"
STAGING = "8b0f4c52-1e7d-4b39-a6c8-52d1f0e97a34"
GLOBEX = "c41a9e06-7d25-4f83-9b6e-0f3ad8715c62"
NOBODYS = "00000000-0000-4000-8000-000000000000"

EXECUTIONS = f"/frontdoor/{FRONTDOOR}/executions"

JSON = {"accept": "application/json"}
HAL = {"accept": "application/hal+json"}
