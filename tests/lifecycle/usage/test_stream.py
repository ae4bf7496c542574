"""Records that come without end: part by part, and nothing of it lost in a kill."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from hansa.foundation import documents
from hansa.foundation.time import SetClock
from hansa.lifecycle.usage.actions import stream
from hansa.lifecycle.usage.model import Delivery
from hansa.lifecycle.usage.rules.layouts import KNOWN
from hansa.lifecycle.usage.store import spool
from tests.lifecycle.usage.counter import HEAD, NOW, Counter, call, csv, told


def follow(counter: Counter, blocks: Iterable[bytes], layout: str = "calls") -> list[Delivery]:
    return list(
        stream.follow(
            counter.begin,
            octets=blocks,
            layout=KNOWN[layout],
            codes=counter.known(),
            folder=counter.folder,
            now=lambda: counter.now,
        )
    )


def spooled(counter: Counter) -> list[str]:
    return sorted(one.suffix for one in (counter.folder / "events" / ".spool").glob("*"))


def refs(counter: Counter, *made: Delivery) -> list[str]:
    return sorted(row["source_ref"] for one in made for row in counter.rows(one))


def test_a_stream_is_cut_where_records_end(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PART_OCTETS", 200)
    whole = csv(*(call(f"c{n}") for n in range(10)))
    made = follow(counter, [whole[at : at + 33] for at in range(0, len(whole), 33)])
    assert len(made) > 2
    assert refs(counter, *made) == [f"c{n}" for n in range(10)]
    assert {told(one)[2:] for one in made} == {(0, 0)}
    assert spooled(counter) == []


def test_what_has_waited_for_a_while_comes_in(counter: Counter) -> None:
    clock = SetClock(NOW)
    seen: list[int] = []

    def blocks() -> Iterator[bytes]:
        yield csv(call("c1"))
        clock.move(timedelta(seconds=29))
        yield b""
        seen.append(len(counter.on_disk()))
        clock.move(timedelta(seconds=1))
        yield b""
        seen.append(len(counter.on_disk()))
        yield call("c2").encode()  # the last one without an end

    made = list(
        stream.follow(
            counter.begin,
            octets=blocks(),
            layout=KNOWN["calls"],
            codes=counter.known(),
            folder=counter.folder,
            now=clock.now,
        )
    )
    assert seen == [0, 1]
    assert refs(counter, *made) == ["c1", "c2"]


def test_what_a_kill_has_left_is_taken_in_by_the_next(counter: Counter) -> None:
    layout = json.dumps(documents.write(KNOWN["calls"])).encode()
    part = spool.Spool(counter.folder, layout)
    part.write(csv(call("c1")))

    def next_one() -> list[Delivery]:
        return list(
            stream.left_behind(counter.begin, codes=counter.known(), folder=counter.folder, now=NOW)
        )

    assert next_one() == []  # it lives still
    part.close(taken=False)
    (made,) = next_one()
    assert refs(counter, made) == ["c1"]
    assert spooled(counter) == []
    assert next_one() == []


def test_a_stream_that_cannot_be_read_is_kept(counter: Counter) -> None:
    (made,) = follow(counter, [b"colour\nred\n"])
    assert (made.state, made.reason) == ("refused", "columns-missing")
    assert spooled(counter) == [".json", ".part"]


def test_nothing_but_a_header_is_nothing(counter: Counter) -> None:
    assert follow(counter, [HEAD.encode(), b"\n", b""]) == []
    assert follow(counter, []) == []


def test_blocks_of_accounting_are_kept_whole(counter: Counter) -> None:
    block = (
        'Mon Nov  2 08:00:00 2026\n\tAcct-Session-Id = "%s"\n\tAcct-Status-Type = Start\n'
        "\tNAS-IP-Address = 10.0.0.1\n\tTimestamp = 1793606400\n\n"
    )
    whole = "".join(block % n for n in range(3)).encode()
    (made,) = follow(counter, [whole[at : at + 20] for at in range(0, len(whole), 20)], "radius")
    assert told(made) == (3, 3, 0, 0)
