"""The agent of a network gateway: has the kernel do what RADIUS says of each line.

A process of the gateway's box, asked by files and signals alone. It brings together which lines
are configured (`lines.json`), who has an address (Kea), and which sessions there are
(`sessions.json`): who has both is authenticated, shaped, counted, let pass and accounted for,
who has not is cut. It listens for CoA and Disconnect of its own RADIUS server.

SIGHUP: lines or kernel have changed, put all in order. SIGUSR1: report every session now.
SIGUSR2: Kea has given or taken an address. What it has to tell is kept until it was heard.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from hansa.drivers.broadband import device, radius
from hansa.foundation.time import Clock, SystemClock

LINES, SESSIONS, PID = "lines.json", "sessions.json", "agent.pid"
LOOK_EVERY_S = 5.0
"""How often Kea is asked although it said nothing: leases also end by themselves."""

RETRY_S = 2.0
REFUSED_S = 30.0
REPORTS_MAX = 10_000
"""How many records wait at most for a server that is away."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is configured. clock_s: by how much its time is ahead of the machine's."""

    number: int
    user: str
    password: str
    address: str
    clock_s: int


@dataclass(slots=True)
class Session:
    """A line that passes. before: octets up and down that an earlier counter counted; last: as
    they were told. Times are the line's own, in seconds.
    """

    line: Line
    id: str
    mac: str
    began_s: int
    down_bps: int
    up_bps: int
    interim_s: int
    before: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    told_at: float = field(default=0.0, compare=False)


class Agent:
    """folder: where its files lie. secret: shared with the RADIUS server."""

    def __init__(self, folder: Path, *, given: Mapping[str, Any], clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.nas = IPv4Address(given["nas"])
        self.aaa, self.kea = str(given["aaa"]), str(given["kea"])
        self.secret = str(given["secret"]).encode()
        self.sessions: dict[int, Session] = {}
        self.reports: list[dict[str, Any]] = []
        self.refused: dict[int, float] = {}
        self.packets = 0
        self._remember()

    # --- the lines, their addresses, their sessions ----------------------------------------------

    def settle(self, *, repair: bool) -> None:
        """Has every line that should pass do so, and no other. repair: also what was changed in
        the kernel by others is put right, and refused lines are tried again at once.
        """
        lines, leases = self._lines(), self._leases()
        for number, session in list(self.sessions.items()):
            gone = leases is not None and leases.get(session.line.address) != session.mac
            line = lines.get(number)
            if line is None or line.user != session.line.user or gone:
                self.stop(session)
            else:
                session.line = line
        if repair:
            self.refused.clear()
            self._repair()
        for number, line in lines.items():
            mac = (leases or {}).get(line.address)
            if mac and number not in self.sessions:
                self.start(line, mac)
        self._save()

    def start(self, line: Line, mac: str) -> None:
        """Asks RADIUS for a line, and lets it pass if it may."""
        if time.monotonic() < self.refused.get(line.number, 0):
            return
        about: dict[str, radius.Value] = {
            "User-Name": line.user,
            "User-Password": line.password,
            "NAS-IP-Address": self.nas,
            "NAS-Port-Id": f"l{line.number}",
            "Calling-Station-Id": mac,
            "Framed-IP-Address": IPv4Address(line.address),
            "Event-Timestamp": self._now_s(line),
        }
        said = self._ask(radius.ACCESS_REQUEST, radius.AUTH_PORT, about)
        if said is None or said.code != radius.ACCESS_ACCEPT:
            self.refused[line.number] = time.monotonic() + (RETRY_S if said is None else REFUSED_S)
            _say(f"l{line.number} {line.user}: {'no answer' if said is None else 'refused'}")
            return
        session = Session(
            line=line,
            id=f"l{line.number}-{int(self.clock.now().timestamp() * 1_000_000):x}",
            mac=mac,
            began_s=self._now_s(line),
            down_bps=_number(said, "WISPr-Bandwidth-Max-Down"),
            up_bps=_number(said, "WISPr-Bandwidth-Max-Up"),
            interim_s=_number(said, "Acct-Interim-Interval"),
        )
        self._close(line)
        self._shape(session, anew=True)
        self.sessions[line.number] = session
        self.report(session, radius.START)
        _run(["nft", "-f", "-"], device.opening(line.number, line.address))
        _say(f"{session.id} {line.user} {line.address}: {session.down_bps}/{session.up_bps} bit/s")

    def stop(self, session: Session) -> None:
        """Cuts a line, and tells what it has carried until now."""
        self.report(session, radius.STOP)
        del self.sessions[session.line.number]
        self._close(session.line)
        _say(f"{session.id} ended")

    # --- reports --------------------------------------------------------------------------------

    def report(self, session: Session, status: int) -> None:
        """Writes down what RADIUS is to be told of a session; `flush` tells it."""
        line = session.line
        session.last = self._carried(session)
        session.told_at = time.monotonic()
        if status == radius.INTERIM:  # a later one says all that an earlier one says
            self.reports = [
                one
                for one in self.reports
                if (one["Acct-Session-Id"], one["Acct-Status-Type"]) != (session.id, status)
            ]
        self.reports.append(
            {
                "User-Name": line.user,
                "NAS-IP-Address": str(self.nas),
                "NAS-Port-Id": f"l{line.number}",
                "Acct-Status-Type": status,
                "Acct-Session-Id": session.id,
                "Acct-Session-Time": max(0, self._now_s(line) - session.began_s),
                "Event-Timestamp": self._now_s(line),
                "Framed-IP-Address": line.address,
                "Calling-Station-Id": session.mac,
                **radius.counted("Input", session.last[0]),
                **radius.counted("Output", session.last[1]),
                "WISPr-Bandwidth-Max-Down": session.down_bps,
                "WISPr-Bandwidth-Max-Up": session.up_bps,
            }
        )
        del self.reports[:-REPORTS_MAX]
        self._save()

    def flush(self) -> bool:
        """Tells what is to be told, in its order; False when the server did not hear it."""
        while self.reports:
            told = {
                name: IPv4Address(value) if name.endswith("-IP-Address") else value
                for name, value in self.reports[0].items()
            }
            if self._ask(radius.ACCOUNTING_REQUEST, radius.ACCT_PORT, told) is None:
                return False
            self.reports.pop(0)
            self._save()
        return True

    def report_all(self, *, due: bool = False) -> None:
        """An interim report of every session; due: of those only whose time has come."""
        now = time.monotonic()
        for session in self.sessions.values():
            if not due or now - session.told_at >= session.interim_s:
                self.report(session, radius.INTERIM)

    # --- what the server asks -------------------------------------------------------------------

    def answer(self, raw: bytes) -> bytes | None:
        """The answer to a CoA or Disconnect; None to what is not of our server."""
        try:
            asked = radius.read(raw, self.secret)
        except radius.Wrong as wrong:
            _say(f"dropped a packet: {wrong}")
            return None
        if asked.code not in {radius.COA_REQUEST, radius.DISCONNECT_REQUEST}:
            return None
        error = self._obey(asked)
        code = asked.code + (1 if error is None else 2)
        about: dict[str, radius.Value] = {} if error is None else {"Error-Cause": error}
        return radius.reply(asked, code, about, self.secret)

    def _obey(self, asked: radius.Packet) -> int | None:
        """Does what is asked; the Error-Cause if it cannot be done."""
        said = asked.attributes
        found = [one for one in self.sessions.values() if one.id == said.get("Acct-Session-Id")]
        if not found or found[0].line.user != said.get("User-Name"):
            return radius.SESSION_NOT_FOUND
        session = found[0]
        if asked.code == radius.DISCONNECT_REQUEST:
            self.stop(session)
            self.refused[session.line.number] = time.monotonic() + REFUSED_S
            return None
        down, up = (_number(asked, f"WISPr-Bandwidth-Max-{way}") for way in ("Down", "Up"))
        if not down or not up:
            return radius.MISSING_ATTRIBUTE
        session.down_bps, session.up_bps = down, up
        self._shape(session, anew=False)
        self._save()
        _say(f"{session.id} changed: {down}/{up} bit/s")
        return None

    # --- the kernel -----------------------------------------------------------------------------

    def _repair(self) -> None:
        now = _reading()
        for number, session in self.sessions.items():
            if (now.down.get(number), now.up.get(number)) != (session.down_bps, session.up_bps):
                self._shape(session, anew=True)
            if number not in now.passing or number not in now.carried:
                _run(["nft", "-f", "-"], device.opening(number, session.line.address))
        for number, address in now.passing.items():
            if number not in self.sessions:
                self._close(Line(number, "", "", address, 0))

    def _shape(self, session: Session, *, anew: bool) -> None:
        """anew: whether it is not sure that its packets come to it."""
        number, down_bps, up_bps = session.line.number, session.down_bps, session.up_bps
        _run(["tc", "-batch", "-"], device.shaping(number, down_bps=down_bps, up_bps=up_bps))
        if anew:
            _run(["tc", "-force", "-batch", "-"], device.unsorting(number), quiet=True)
            _run(["tc", "-batch", "-"], device.sorting(number, session.line.address))

    def _close(self, line: Line) -> None:
        both = device.opening(line.number, line.address) + device.closing(line.number, line.address)
        _run(["nft", "-f", "-"], both)
        gone = device.unsorting(line.number) + device.unshaping(line.number)
        _run(["tc", "-force", "-batch", "-"], gone, quiet=True)

    def _carried(self, session: Session) -> tuple[int, int]:
        """Octets up and down since the session began, also over counters that began anew."""
        up, down = _reading().carried.get(session.line.number, (0, 0))
        total = (session.before[0] + up, session.before[1] + down)
        if total[0] < session.last[0] or total[1] < session.last[1]:
            session.before = session.last
            total = (session.before[0] + up, session.before[1] + down)
        return total

    # --- files, Kea, RADIUS -----------------------------------------------------------------------

    def _lines(self) -> Mapping[int, Line]:
        try:
            written = json.loads((self.folder / LINES).read_text())
        except FileNotFoundError:
            return {}
        return {one["number"]: Line(**one) for one in written}

    def _leases(self) -> Mapping[str, str] | None:
        """Who has which address; None when Kea does not say."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            try:
                line.connect(self.kea)
                line.sendall(b'{"command": "lease4-get-all"}')
                told = b""
                while more := line.recv(65536):
                    told += more
                leases = json.loads(told).get("arguments", {}).get("leases", ())
            except (OSError, ValueError):
                return None
        return {one["ip-address"]: one["hw-address"] for one in leases if one["state"] == 0}

    def _ask(self, code: int, port: int, about: Mapping[str, radius.Value]) -> radius.Packet | None:
        self.packets += 1
        packet = radius.request(code, self.packets % 256, about, self.secret)
        return radius.ask((self.aaa, port), packet, self.secret)

    def _now_s(self, line: Line) -> int:
        return int(self.clock.now().timestamp()) + line.clock_s

    def _save(self) -> None:
        text = json.dumps(
            {
                "sessions": [dataclasses.asdict(one) for one in self.sessions.values()],
                "reports": self.reports,
            }
        )
        draft = self.folder / f"{SESSIONS}.new"
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(self.folder / SESSIONS)

    def _remember(self) -> None:
        """Goes on with the sessions that there were: who passed goes on passing."""
        try:
            written = json.loads((self.folder / SESSIONS).read_text())
        except (FileNotFoundError, ValueError):
            return
        for one in written["sessions"]:
            kept = {**one, "line": Line(**one["line"]), "told_at": 0.0}
            kept |= {name: tuple(one[name]) for name in ("before", "last")}
            self.sessions[one["line"]["number"]] = Session(**kept)
        self.reports = written["reports"]


def _reading() -> device.Reading:
    return device.read({name: _run(list(argv)) for name, argv in device.READ.items()})


def _run(argv: list[str], text: str = "", *, quiet: bool = False) -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode and not quiet:
        _say(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout if done.returncode == 0 else ""


def _number(packet: radius.Packet, name: str) -> int:
    value = packet.attributes.get(name, 0)
    return value if isinstance(value, int) else 0


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())


def serve(agent: Agent) -> None:
    """Until the end of the process: answers, reports, and looks after the lines."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind((str(agent.nas), radius.COA_PORT))
    (agent.folder / PID).write_text(str(os.getpid()))
    agent.settle(repair=True)
    looked = time.monotonic()
    while True:
        heard = agent.flush()
        wait_s = min(RETRY_S if not heard else LOOK_EVERY_S, LOOK_EVERY_S)
        ready, _, _ = select.select([woken, door], [], [], wait_s)
        told = set(woken.recv(1024)) if woken in ready else set()
        if door in ready:
            raw, who = door.recvfrom(4096)
            said = agent.answer(raw) if who[0] == agent.aaa else None
            if said is not None:
                door.sendto(said, who)
        if told & {signal.SIGHUP, signal.SIGUSR2} or time.monotonic() - looked > LOOK_EVERY_S:
            agent.settle(repair=signal.SIGHUP in told)
            looked = time.monotonic()
        agent.report_all(due=signal.SIGUSR1 not in told)


def main() -> None:
    parser = argparse.ArgumentParser(description="The agent of a network gateway.")
    parser.add_argument("--folder", type=Path, required=True, help="where its files lie")
    folder: Path = parser.parse_args().folder
    os.umask(0o077)
    given = json.loads((folder / "agent.json").read_text())
    serve(Agent(folder, given=given, clock=SystemClock()))


if __name__ == "__main__":
    main()
