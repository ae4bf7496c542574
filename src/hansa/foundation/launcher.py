"""Becomes another program: leaves root, asks to be told of its parent's death, then runs it.

Run as a program by `embedded.py` and never imported, so that nothing of ours and nothing
between fork and exec runs in a process that has threads. It is started with `-I -S`, needs
the standard library only, and takes: PARENT-PID UID GID PROGRAM ARGUMENTS…
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
"""Linux prctl(2): the signal this process gets when the thread that started it ends."""


def main(arguments: Sequence[str]) -> None:
    """Replaces this process by PROGRAM; gives up when the parent is dead already.

    The death signal is set after the change of user, because that change clears it.
    """
    parent, user, group, *command = arguments
    if os.geteuid() == 0 and int(user) != 0:
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the supervisor ended before its server began")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
