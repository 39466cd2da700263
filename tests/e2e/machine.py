"""A machine of its own with a real systemd: own processes, mounts, network and cgroups over this machine's files.

What is written there goes to memory; this machine's files are only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

BOOT_S, RUN_S = 30.0, 120.0
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
SYSTEMD = Path("/lib/systemd/systemd")
NAMESPACES = ("--pid", "--mount", "--cgroup", "--uts", "--ipc", "--net")
# The kernel's settings stay as they are (/proc/sys, /sys): they are this machine's, too.
BOOT = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts; ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm; mount -t tmpfs -o mode=755 tmpfs run; mount -t tmpfs tmpfs tmp
for folder in "${@:2}"; do mkdir -p ".$folder"; mount --bind "$folder" ".$folder"; done
rm -f etc/machine-id; touch etc/machine-id
ip link set lo up
mkdir -p run/old; pivot_root . run/old; umount -l /run/old; mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system \
  --log-target=journal systemd.unit=basic.target systemd.mask=systemd-networkd.service
"""


class Machine:
    """Booted on entering; killed, with all that runs there, on leaving."""

    def __init__(self, folder: Path, shared: tuple[Path, ...] = ()) -> None:
        self._folder, self._shared = folder, shared
        self._cgroup = _cgroups() / f"tunnel-test-{os.getpid()}"
        self._log = folder / "boot.log"

    def __enter__(self) -> Machine:
        (self._folder / "machine").mkdir()
        self._cgroup.mkdir()
        command = ["unshare", *NAMESPACES, "--fork", "--propagation", "private", "bash", "-c", BOOT, "boot"]
        words = [*command, self._folder / "machine", *self._shared]
        with self._log.open("w") as log:
            self._outer = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=self._enter
            )
        if not wait_for(self._is_up, BOOT_S):
            told = self._log.read_text()
            self.__exit__()
            raise RuntimeError(f"systemd does not boot here: {told}")
        return self

    def __exit__(self, *_: object) -> None:
        (self._cgroup / "cgroup.kill").write_text("1")
        self._outer.wait(RUN_S)
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            wait_for(lambda folder=folder: _removed(Path(folder)), 5)

    def run(self, *words: object, check: bool = True, timeout: float = RUN_S) -> subprocess.CompletedProcess[str]:
        """A command there, as root."""
        inside = ["nsenter", "-t", str(self._init()), "-m", "-p", "-n", "-u", "-i", "-C", "--", *map(str, words)]
        ran = subprocess.run(
            inside, capture_output=True, text=True, timeout=timeout, check=False, cwd="/", env=ENVIRONMENT
        )
        assert not check or ran.returncode == 0, (words, ran.returncode, ran.stdout, ran.stderr)
        return ran

    def path(self, place: str | Path) -> Path:
        """A file there, as seen from here."""
        return Path(f"/proc/{self._init()}/root{place}")

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()

    def log(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "-u", unit, check=False).stdout

    def _enter(self) -> None:
        (self._cgroup / "cgroup.procs").write_text("0")

    def _init(self) -> int:
        """The process that is number 1 there; 0: there is none."""
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        told = children.read_text().split() if children.exists() else []
        return int(told[0]) if told else 0

    def _is_up(self) -> bool:
        if self._outer.poll() is not None or not self._init():
            return False
        if Path(f"/proc/{self._init()}/comm").read_text().strip() != "systemd":
            return False
        return self.run("systemctl", "is-active", "basic.target", check=False).stdout.strip() == "active"


def wait_for(condition, seconds: float = RUN_S) -> bool:
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.1)
    return True


def why_not() -> str:
    """Why there can be no such machine here; empty: there can."""
    if os.geteuid():
        return "only root may boot a systemd"
    if not SYSTEMD.exists() or not shutil.which("unshare"):
        return "systemd is not installed: `make setup`"
    if not _cgroups().is_dir() or not os.access(_cgroups(), os.W_OK):
        return "no cgroup2 to write to"
    overlay = "mount -t overlay overlay -o lowerdir=/,upperdir=a,workdir=b c"
    trial = f"mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir a b c && {overlay}"
    words = ["unshare", *NAMESPACES, "--fork", "sh", "-c", trial]
    tried = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"no namespaces or overlays: {tried.stderr.strip()}" if tried.returncode else ""


def _cgroups() -> Path:
    """Where the unified hierarchy is mounted."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return Path(next((place for _, place, kind, *_ in mounts if kind == "cgroup2"), "/nowhere"))


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
