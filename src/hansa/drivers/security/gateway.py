"""The gateway to the web: squid in the network's box, for clients that name it and for all others.

What is blocked is refused by name: a page with 403; a secured connection is ended at once, by
the name that its first message bears (SNI, RFC 6066), without decrypting it. Only names that are
listed for it are decrypted, by an authority of this customer's own.

squid runs as nobody that could do anything: in a user namespace, in which it is `proxy` and owns
its files, and nothing else. It says which configuration it has read in what it answers (its
host name), so nothing has to be remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from signal import SIGHUP, SIGKILL

from hansa.drivers.contract import Change
from hansa.drivers.lab.box import Box
from hansa.drivers.security import files
from hansa.drivers.security.firewall import PROXY, TLS, WEB
from hansa.drivers.security.intent import Border, Gateway, NameList, Policy, digest
from hansa.drivers.security.names import topmost
from hansa.drivers.security.resolver import in_order
from hansa.foundation.errors import TryLater

NAME = "gateway"
FOLDER = "gateway"
CONFIG = f"{FOLDER}/squid.conf"
AUTHORITY = f"{FOLDER}/ca.pem"
ROOTS = f"{FOLDER}/roots.pem"
CERTIFICATES = f"{FOLDER}/certificates"

_APART = ("unshare", "--user", "--map-user=13", "--map-group=13", "--")
"""As `proxy` (13 on Debian) to itself, and as whoever keeps the lab to everybody else."""

_NOWHERE = "http://invalid/"
"""Asked for by ourselves, refused by the gateway, and in no log."""

_MAKER = "/usr/lib/squid/security_file_certgen"
_HOST = re.compile(r"^X-Cache(?:-Lookup)?: \S+ from gw-([0-9a-f]+)", re.MULTILINE)

LOG = (
    '{"at":%ts.%03tu,"client":"%>a","method":"%"rm","url":"%"ru","sni":"%"ssl::>sni",'
    '"tls":"%ssl::bump_mode","status":%>Hs,"octets":%<st,"result":"%Ss"}'
)
"""One line of the log of visits, as JSON. tls: splice, bump, terminate; `-` where there is none."""


def render(policy: Policy, border: Border, folder: str, more: str = "") -> str:
    """The configuration, as squid reads it. folder: where its files lie. more: of what else its
    fingerprint has to tell: its lists, its authority, whom it believes.
    """
    body = "\n".join([*_ports(policy, border, folder), *_rules(policy, border, folder), ""])
    return f"visible_hostname gw-{digest(body, more)}\n{body}"


def names_of(one: NameList) -> str:
    """A list as squid reads it: each name with all below it."""
    return "".join(f".{name}\n" for name in topmost(one.names))


def _ports(policy: Policy, border: Border, folder: str) -> list[str]:
    gateway = policy.gateway or Gateway()
    bump = (
        f"ssl-bump tls-cert={folder}/ca.pem generate-host-certificates=on "
        "dynamic_cert_mem_cache_size=1MB"
    )
    transparent = [
        f"http_port {border.gateway}:{WEB} intercept",
        f"https_port {border.gateway}:{TLS} intercept {bump}",
    ]
    return [
        *([f"http_port {border.gateway}:{PROXY} {bump}"] if gateway.explicit else []),
        *(transparent if gateway.transparent else []),
        f"sslcrtd_program {_MAKER} -s {folder}/certificates -M 4MB",
        "sslcrtd_children 2 startup=0 idle=1",
        f"tls_outgoing_options cafile={folder}/roots.pem",
        f"dns_nameservers {border.resolver}",
        "hosts_file none",
        "pid_filename none",
        "pinger_enable off",
        f"coredump_dir {folder}",
        f"cache_log {folder}/cache.log",
        "cache deny all",
        "cache_mem 8 MB",
        "memory_pools off",
        "max_filedescriptors 4096",
        "shutdown_lifetime 0 seconds",
        "httpd_suppress_version_string on",
        "forwarded_for delete",
        "via off",
    ]


def _rules(policy: Policy, border: Border, folder: str) -> list[str]:
    lists = [one for one in in_order(policy.lists) if one.action != "redirect"]
    blocked = [one.id for one in lists if one.action == "block"]
    excepted = "".join(f" !let-{one.id}" for one in lists if one.action == "allow")
    inspect = policy.gateway.inspect if policy.gateway else ()
    return [
        f"acl own src {border.gateway}",
        f"acl clients src {' '.join(border.clients)}",
        "acl web port 80",
        "acl tls port 443",
        "acl first at_step SslBump1",
        *(line for one in lists for line in _list(one, border, folder)),
        *([f"acl inspected ssl::server_name {' '.join(inspect)}"] if inspect else []),
        "http_access deny own",
        "http_access deny to_localhost",
        "http_access deny CONNECT !tls",
        "http_access deny !CONNECT !web !tls",
        *(f"http_access deny !CONNECT block-{one} of-{one}{excepted}" for one in blocked),
        "http_access allow clients",
        "http_access deny all",
        "ssl_bump peek first",
        *(f"ssl_bump terminate sni-{one} of-{one}{_sni(excepted)}" for one in blocked),
        *(["ssl_bump bump inspected"] if inspect else []),
        "ssl_bump splice all",
        f"logformat visit {LOG}",
        f"access_log stdio:{folder}/access.log visit !own",
    ]


def _sni(excepted: str) -> str:
    return excepted.replace("!let-", "!sni-let-")


def _list(one: NameList, border: Border, folder: str) -> Iterator[str]:
    """A list as conditions: by name of what is asked for, by SNI, and whose client asks."""
    yield f'acl block-{one.id} dstdomain -n "{folder}/{one.id}.names"'
    yield f'acl sni-{one.id} ssl::server_name "{folder}/{one.id}.names"'
    yield f"acl of-{one.id} src {' '.join(one.clients or border.clients)}"
    if one.action == "allow":
        yield f"acl let-{one.id} all-of block-{one.id} of-{one.id}"
        yield f"acl sni-let-{one.id} all-of sni-{one.id} of-{one.id}"


# --- on the device --------------------------------------------------------------------------------


def texts(box: Box, policy: Policy, border: Border, ca: str, roots: str) -> Mapping[str, str]:
    """Every file of the gateway, by its path in the box. ca: key and certificate as PEM."""
    names = {
        f"{FOLDER}/{one.id}.names": names_of(one)
        for one in policy.lists
        if one.action != "redirect"
    }
    more = digest(ca, roots, *(text for _, text in sorted(names.items())))
    config = render(policy, border, box.path(FOLDER), more)
    return {CONFIG: config, AUTHORITY: ca, ROOTS: roots, **names}


def differs(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """What `apply` would change: a file, or the daemon. wanted: from `texts`."""
    changes = files.changed(box, wanted)
    reads, identity = loaded(box, wanted), _identity(wanted[CONFIG])
    if reads != identity:
        changes.append(Change("gateway", reads or "dead", identity))
    return changes


def apply(box: Box, wanted: Mapping[str, str]) -> list[Change]:
    """Has the gateway work by these files; what passes through it goes on."""
    changes = differs(box, wanted)
    if not changes:
        return []
    _check(box, wanted)
    files.write(box, wanted)
    files.forget(box, FOLDER, ".names", wanted)
    store = box.path(f"{CERTIFICATES}")
    if not box.try_run("test", "-e", f"{store}/size").ok:
        box.remove(CERTIFICATES)
        box.run(_MAKER, "-c", "-s", store, "-M", "4MB")
    argv = (*_APART, "squid", "-N", "-f", box.path(CONFIG))
    box.start(NAME, *argv, private=True, ready=lambda: loaded(box, wanted) is not None)
    identity = _identity(wanted[CONFIG])
    if loaded(box, wanted) != identity:
        box.signal(NAME, SIGHUP)
        box.wait(lambda: loaded(box, wanted) == identity, what=NAME)
    return changes


def remove(box: Box) -> None:
    """Ends the gateway and takes its files away, its log too; none is no error."""
    box.signal(NAME, SIGKILL)  # asked to end, it takes another second, and has nothing to save
    box.stop(NAME)
    box.remove(FOLDER)


def loaded(box: Box, wanted: Mapping[str, str]) -> str | None:
    """The fingerprint of what the running daemon has read; None: none answers."""
    if not box.runs(NAME):
        return None
    door = next(line.split()[1] for line in wanted[CONFIG].splitlines() if "http_port" in line)
    said = box.try_run(
        *("curl", "-s", "-m", "2", "-o", "/dev/null", "-D", "-", "-x", f"http://{door}/", _NOWHERE)
    )
    found = _HOST.search(said.out)
    return found.group(1) if found else None


def _identity(config: str) -> str:
    return config.partition("\n")[0].removeprefix("visible_hostname gw-")


def _check(box: Box, wanted: Mapping[str, str]) -> None:
    """Has squid read the new files before the old ones are touched."""
    argv = (*_APART, "squid", "-k", "parse", "-f", box.path(CONFIG))
    said = files.try_out(box, FOLDER, wanted, *argv)
    if not said.ok:
        words = [line for line in said.err.splitlines() if "FATAL" in line or "ERROR" in line]
        raise TryLater("device-failed", f"squid does not take its files: {'; '.join(words)[:500]}")
