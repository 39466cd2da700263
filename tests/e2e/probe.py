"""What an intruder would try from inside a unit; prints as JSON what it came to: "done", or the name of the error.

Runs by itself, with the standard library alone: `probe.py PID ADDRESS`; PID: of a process whose memory it is to read.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
from pathlib import Path

SEIZE = 0x4206  # ptrace: without stopping it
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def memory(pid):
    start = int(Path(f"/proc/{pid}/maps").read_text().split("-")[0], 16)
    with Path(f"/proc/{pid}/mem").open("rb", 0) as file:
        file.seek(start)
        assert file.read(16)


def tell(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"secret", (address, 9))


def opened(family, kind, protocol=0):
    socket.socket(family, kind, protocol).close()


def attempts(pid, address):
    yield "read /etc/shadow", lambda: Path("/etc/shadow").read_text()
    yield "read the keys of the site", lambda: list(Path("/etc/tunnel-edge/keys").iterdir())
    yield "read what is in /root", lambda: list(Path("/root").iterdir())
    for folder in (
        "/etc",
        "/usr",
        "/opt/tunnel-edge/current",
        "/var/lib/tunnel-edge",
        "/var/lib/tunnel-edge/lane1",
        "/run",
    ):
        yield f"write in {folder}", lambda folder=folder: Path(folder, "intruded").write_text("x")
    yield "open a raw socket", lambda: opened(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    yield "open a packet socket", lambda: opened(socket.AF_PACKET, socket.SOCK_RAW)
    yield "tell an address outside", lambda: tell(address)
    yield "read a lane's memory", lambda: memory(pid)
    yield "trace a lane", lambda: call("ptrace", SEIZE, pid, 0, 0)
    yield "make memory that can be written and run", lambda: mmap.mmap(-1, 4096, prot=7).close()
    yield "make a device", lambda: os.mknod("/tmp/intruded", 0o020600, os.makedev(1, 1))
    yield "mount", lambda: call("mount", b"tmpfs", b"/mnt", b"tmpfs", 0, None)
    yield "become another user", lambda: os.setuid(1)
    yield "make namespaces", lambda: call("unshare", 0x10000000)


def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except ValueError as error:  # what it was to read is empty
        return str(error)
    return "done"


if __name__ == "__main__":
    print(json.dumps({name: outcome(attempt) for name, attempt in attempts(int(sys.argv[1]), sys.argv[2])}))
