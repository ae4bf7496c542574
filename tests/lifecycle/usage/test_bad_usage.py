"""Bad input and kills: what is wrong is named with file and row, and the rest goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.foundation.errors import Refused
from hansa.lifecycle.usage.actions import intake
from hansa.lifecycle.usage.model import Fault, Layout
from hansa.lifecycle.usage.rules.layouts import KNOWN
from hansa.lifecycle.usage.store import manifest, reading, spool
from tests.lifecycle.usage.counter import HEAD, Counter, call, csv, told

# --- nothing is lost ----------------------------------------------------------------------------

BAD: list[tuple[dict[str, str], Fault, str]] = [
    ({"called": "+2711BUREAU"}, Fault.NUMBER, "called"),
    ({"called": "1" * 33}, Fault.NUMBER, "called"),
    ({"called": "+"}, Fault.NUMBER, "called"),
    ({"called": ""}, Fault.NO_NUMBER, "called"),
    ({"calling": "sip:bob"}, Fault.NUMBER, "calling"),
    ({"duration": "-1"}, Fault.NEGATIVE, "duration"),
    ({"duration": "long"}, Fault.DURATION, "duration"),
    ({"duration": ""}, Fault.DURATION, "duration"),
    ({"duration": "1.2.3"}, Fault.DURATION, "duration"),
    ({"duration": "604801"}, Fault.LONG, "duration"),
    ({"duration": "9" * 30}, Fault.DURATION, "duration"),
    ({"answered": "2026-02-29T00:00:00", "started": ""}, Fault.TIME, "answered"),
    ({"answered": "2026-11-02T24:00:00"}, Fault.TIME, "answered"),
    ({"answered": "2026-11-02T08:00:00+25:00"}, Fault.TIME, "answered"),
    ({"answered": "2026-11-02T08:00:0"}, Fault.TIME, "answered"),
    ({"answered": "1026-11-02T08:00:00"}, Fault.TIME, "answered"),
    ({"answered": ""}, Fault.NO_TIME, "answered"),
    ({"answered": "2026-11-22T08:00:00"}, Fault.AHEAD, "answered"),
    ({"answered": "2006-11-02T08:00:00", "started": ""}, Fault.PAST, "answered"),
    ({"answered": "2026-11-02T07:59:49"}, Fault.BEFORE_START, "answered"),
]


@pytest.mark.parametrize(("wrong", "fault", "field"), BAD)
def test_a_record_that_cannot_be_so_is_set_aside(
    counter: Counter, wrong: dict[str, str], fault: Fault, field: str
) -> None:
    made = counter.take(csv(call("c1"), call("c2", **wrong), call("c3")))
    assert told(made) == (3, 2, 1, 0)
    (bad,) = counter.bad(made)
    assert (bad.row, bad.fault, bad.field) == (3, fault, field)
    assert bad.raw.decode() == call("c2", **wrong)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"c2,+271,+2711,2026-11-02T08", Fault.COLUMNS),
        (b"c2," + b"," * 20, Fault.COLUMNS),
        (b'c2,"+271,+2711,a,b,c,d,e', Fault.COLUMNS),
        (call("c\xff").encode("latin-1"), Fault.ENCODING),
        (call("c2", trunk_in="\xe9").encode("latin-1"), Fault.ENCODING),
        (b"\0\0\0\0", Fault.COLUMNS),
        (call("c2", called="\0\0").encode(), Fault.NUMBER),
    ],
)
def test_a_broken_line_harms_no_other(counter: Counter, line: bytes, fault: Fault) -> None:
    content = csv(call("c1")) + b"\n" + line + b"\n\r\n" + call("c3").encode() + b"\r\n"
    made = counter.take(content)
    assert told(made) == (3, 2, 1, 0)
    (bad,) = counter.bad(made)
    assert (bad.row, bad.fault, bad.raw) == (4, fault, line)
    assert sorted(row["event_id"] & 0xFFFFFFFF for row in counter.rows(made)) == [2, 6]


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(
        st.one_of(
            st.sampled_from(
                [b"", b" ", b"a,b", b"a,b,c", b"a,b,c,d", b'"a",b,c', b'"a,b,c', b"a\rb"]
            ),
            st.binary(max_size=8).map(lambda one: one.replace(b"\n", b",")),
        ),
        max_size=12,
    ),
    ending=st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]),
)
def test_a_piece_is_read_the_same_quickly_and_line_by_line(
    lines: list[bytes], ending: bytes
) -> None:
    """Which way is taken depends on the lines beside, so a record may not depend on the way."""
    wanted = {"called": 0, "answered": 2}
    layout = replace(KNOWN["calls"], columns={"called": 1, "answered": 3}, header=False)
    piece = b"\n".join(lines) + ending
    how = (piece, layout, wanted, 3, 1, 0)

    def read(batch: reading.Batch) -> object:
        fields = [[text[at] for at in range(len(text))] for text in batch.fields.values()]
        raw = [batch.raw(at) for at in range(len(batch.rows))]
        return batch.rows.tolist(), fields, raw, batch.bad

    slow = reading._slowly(*how)
    for quick in (reading._quickly(*how), reading._sifted(*how)):
        assert quick is None or read(quick) == read(slow)


def test_a_file_that_was_cut_short_keeps_what_is_whole(counter: Counter) -> None:
    content = csv(call("c1"), call("c2"))
    made = counter.take(content[:-40])
    assert told(made) == (2, 1, 1, 0)
    assert counter.bad(made)[0].row == 3


def test_broken_json_is_set_aside_line_by_line(counter: Counter) -> None:
    good = '{"called":"27111","answered":"2026-11-02T08:00:00","duration":%s}'
    lines = [good % 5, good % "[5]", "[1]", good % "5" + "x", good % 6.5, "{", good % "NaN"]
    made = counter.take("\n".join(lines).encode(), "a.jsonl", "calls-jsonl")
    assert told(made) == (7, 2, 5, 0)
    assert [(one.row, one.fault) for one in counter.bad(made)] == [
        (2, Fault.UNREADABLE),
        (3, Fault.UNREADABLE),
        (4, Fault.UNREADABLE),
        (6, Fault.UNREADABLE),
        (7, Fault.DURATION),
    ]


REFUSED: list[tuple[bytes, Layout | str, str]] = [
    (csv("1,2", head="a,b"), "calls", "columns-missing"),
    (csv(call()).decode().encode("utf-16"), "calls", "file-encoding"),
    (b"", "calls", "columns-missing"),
    (b"\xff\xfe\x00", "calls", "file-encoding"),
    ("é,b\n".encode("latin-1"), "calls", "file-encoding"),
    (b"PAR1 and then something else", "calls-parquet", "file-broken"),
    (b"", "calls-parquet", "file-broken"),
    (
        csv(*(call(str(n), trunk_in=str(n)) for n in range(10_001))),
        "calls",
        "routes-too-many",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("content", "layout", "reason"), REFUSED)
def test_a_file_that_cannot_be_read_at_all_is_refused(
    counter: Counter, content: bytes, layout: str, reason: str
) -> None:
    made = counter.take(content, layout=layout)
    assert (made.state, made.reason, made.rows) == ("refused", reason, 0)
    assert counter.on_disk() == set()
    with counter.begin() as tx:
        assert manifest.by_content(tx, made.sha256) == made
    again = counter.take(content, layout=layout)
    assert (again.state, again.number > made.number) == ("refused", True)


def test_a_truncated_parquet_file_is_refused(counter: Counter, tmp_path: Path) -> None:
    place = tmp_path / "calls.parquet"
    pq.write_table(pa.table({"called": ["27111"], "answered": ["x"], "duration": ["5"]}), place)
    made = counter.take(place.read_bytes()[:-9], "a.parquet", "calls-parquet")
    assert (made.state, made.reason) == ("refused", "file-broken")


def test_a_refused_file_is_taken_with_the_right_layout(counter: Counter) -> None:
    content = csv(call()).decode().encode("utf-16")
    assert counter.take(content).state == "refused"
    made = counter.take(content, layout=replace(KNOWN["calls"], encoding="utf-16"))
    assert told(made) == (1, 1, 0, 0)
    assert made.state == "taken"


@pytest.mark.parametrize(
    "change",
    [
        {"columns": {"called": "a"}},
        {"columns": {"called": "a", "answered": "b"}},
        {"columns": {"called": "a", "answered": "b", "duration": "c", "colour": "d"}},
        {"delimiter": '"'},
        {"delimiter": ";;"},
        {"header": False},
        {"national": "0"},
        {"country": "ZA", "national": "0"},
        {"zone": "Mars/Olympus"},
        {"encoding": "latin-99"},
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused(counter: Counter, change: Any) -> None:
    with pytest.raises(Refused, match=r"layout-invalid|zone-unknown"):
        counter.take(csv(call()), layout=replace(KNOWN["calls"], **change))


def test_an_empty_file_is_a_delivery_too(counter: Counter) -> None:
    assert told(counter.take(f"{HEAD}\n".encode())) == (0, 0, 0, 0)


# --- killed -------------------------------------------------------------------------------------

KILLED = """
import os, sys
from pathlib import Path
from hansa.foundation.database import Database
from hansa.lifecycle.usage.store import {module}
from tests.lifecycle.usage.counter import Counter

real = {module}.{owner}{name}
def killed(*args, **kwargs):
    {before}
    os.kill(os.getpid(), 9)
{module}.{owner}{name} = killed
database = Database(sys.argv[1])
database.open()
Counter(database.begin, Path(sys.argv[2]), Path(sys.argv[3])).take(Path(sys.argv[4]).read_bytes())
"""


@pytest.mark.parametrize(
    ("module", "owner", "name", "before"),
    [
        ("events", "Aside.", "write", "real(*args, **kwargs)"),
        ("events", "Aside.", "finish", "pass"),
        ("events", "Aside.", "finish", "real(*args, **kwargs)"),
        ("quarantine", "Quarantine.", "finish", "real(*args, **kwargs)"),
        ("manifest", "", "put", "real(*args, **kwargs)"),
    ],
)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_twice(
    counter: Counter, database: Any, tmp_path: Path, module: str, owner: str, name: str, before: str
) -> None:
    content = csv(call("c1"), call("c2", called="x"), call("c1"))
    place = tmp_path / "content.csv"
    place.write_bytes(content)
    text = KILLED.format(module=module, owner=owner, name=name, before=before)
    done = subprocess.run(
        [sys.executable, "-c", text, database.url, counter.folder, counter.desk, place],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with counter.begin() as tx:
        assert manifest.paths(tx) == frozenset()
    assert counter.folder.exists()
    intake.sweep(counter.begin, folder=counter.folder)
    assert counter.on_disk() == set()
    made = counter.take(content)
    assert told(made) == (3, 1, 1, 1)
    assert intake.sweep(counter.begin, folder=counter.folder) == 0
    assert len(counter.on_disk()) == 2


def test_a_file_that_is_still_written_is_left_alone(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = spool.digest

    def grows(place: Path) -> Any:
        found = real(place)
        with place.open("ab") as file:
            file.write(call("c2").encode())
        return found

    monkeypatch.setattr(spool, "digest", grows)
    with pytest.raises(Exception, match="file-growing"):
        counter.take(csv(call()))
    assert counter.on_disk() == set()
