"""Links that can look: signed, revoked, and what ends with them."""

from __future__ import annotations

import pytest

from sessions.links import MOST, Links
from sessions.refusals import TooMany, UnknownLink


def test_a_link_is_known_by_its_signature_alone() -> None:
    links = Links()
    one, other = links.make("one", "other")
    shown = links.signed(one)
    assert links.shown(shown) == one
    id_, signature = shown.split(".")
    first = "A" if signature[0] != "A" else "B"
    changed = f"{id_}.{first}{signature[1:]}"
    for each in ("", id_, f"{id_}.", changed, f"{other.id}.{signature}", f"{shown}=", "é.é", f"{id_}.é"):
        assert links.shown(each) is None
    assert Links().shown(shown) is None  # another server, or this one after a restart


def test_revoking_ends_what_is_open_by_that_link_once() -> None:
    links, ended = Links(), []
    one, other = links.make("one", None)
    links.hold(one.id, lambda: ended.append("one"))
    links.hold(one.id, lambda: ended.append("gone before"))()
    links.hold(other.id, lambda: ended.append("other"))
    links.hold(None, lambda: ended.append("by the token"))
    shown = links.signed(one)
    assert links.revoke(one.id) == one
    assert ended == ["one"]
    assert links.shown(shown) is None
    assert links.all == [other]
    links.hold(one.id, lambda: ended.append("too late"))()
    assert ended == ["one", "too late"]
    with pytest.raises(UnknownLink, match="GET /api/links lists"):
        links.revoke(one.id)


def test_the_newest_link_of_a_session_serves_again() -> None:
    links = Links()
    first, newest = links.make("one", "one")
    assert links.to("one") == newest
    assert links.to("two") not in (first, newest)
    assert len(links.all) == 3


def test_links_are_bounded() -> None:
    links = Links()
    links.make(*["one"] * MOST)
    with pytest.raises(TooMany, match="Revoke some"):
        links.make(None)
