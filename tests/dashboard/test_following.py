"""One look for all open pages: they are told of changes, and nobody looks for nobody."""

from __future__ import annotations

import asyncio

from dashboard.following import Following


def test_all_pages_are_told_of_a_change_and_none_once_it_has_left() -> None:
    there, looks = ["first"], 0

    def read() -> tuple[str, ...]:
        nonlocal looks
        looks += 1
        return tuple(there)

    async def scenario() -> None:
        following = Following(read, 60.0)
        told = [asyncio.Event(), asyncio.Event()]
        for page in told:
            following.add(page.set)
        for page in told:
            await asyncio.wait_for(page.wait(), 30)
            page.clear()
        assert following.latest == ("first",)
        following.remove(told[1].set)
        there.append("second")
        following.hurry()
        await asyncio.wait_for(told[0].wait(), 30)
        assert following.latest == ("first", "second")
        assert not told[1].is_set()
        following.remove(told[0].set)
        assert following.latest is None
        there.append("third")
        following.hurry()
        before = looks
        await asyncio.sleep(0)
        assert looks == before

    asyncio.run(scenario())
