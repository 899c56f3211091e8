"""The clock of the caller's world."""

from __future__ import annotations

from mockexec.http.call import Call, Reply
from mockexec.http.refusal import Refusal
from mockexec.server.views import clock_view
from mockexec.simulation.instants import parse_duration, parse_instant
from mockexec.simulation.world import World


class ClockControl:
    """Turning it, and how it runs."""

    operations = ("getClock", "setClock", "advanceClock", "runUntilIdle")

    async def get_clock(self, call: Call) -> Reply:
        """The clock as it is."""
        return Reply(200, clock_view(call.world))

    async def set_clock(self, call: Call) -> Reply:
        """First the instant, then the mode."""
        clock = call.world.clock
        if "now" in call.body:
            try:
                instant_ns = parse_instant(call.body["now"])
            except ValueError as error:
                raise Refusal("invalid", f"body /now: {error}") from None
            try:
                clock.set(instant_ns)
            except ValueError as error:
                raise Refusal("conflict", str(error)) from None
        if "mode" in call.body:
            clock.change_mode(call.body["mode"], call.body.get("scale", 1.0))
        return _settled(call.world)

    async def advance_clock(self, call: Call) -> Reply:
        """Forward, and everything that is due by then happens."""
        try:
            call.world.clock.advance(parse_duration(call.body["by"]))
        except ValueError as error:
            raise Refusal("conflict", str(error)) from None
        return _settled(call.world)

    async def run_until_idle(self, call: Call) -> Reply:
        """Forward until nothing moves by itself."""
        call.world.run_until_idle()
        return _settled(call.world)


def _settled(world: World) -> Reply:
    world.settle()
    return Reply(200, clock_view(world))
