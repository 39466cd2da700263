"""A program in a terminal of its own (tmux): what it says, what is typed, and what the screen shows."""

import re
import shlex
import subprocess
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
COLUMNS, ROWS = 160, 50
LOOK_S = 0.05
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")
ENDED = r"ended with (\d+)"


class Terminal:
    """`python -m calibration …`; all that it ever wrote is in a file, so that nothing is missed between two looks."""

    def __init__(self, folder, *words, environment=()):
        self._server = f"guide-{uuid.uuid4().hex[:8]}"
        self._log = folder / f"{self._server}.log"
        self._read = 0
        program = shlex.join([sys.executable, "-m", "calibration", *map(str, words)])
        # It waits for a line before it begins: what is said before the file is written would be missed. Ctrl-C is for
        # the program, not for the shell that tells how it ended.
        program = f"env -u COLUMNS -u LINES PYTHONPATH={shlex.quote(str(ROOT))} {' '.join(environment)} {program}"
        told = f"trap : INT; read begin; {program}; echo ended with $?; read end"
        size = "-x", str(COLUMNS), "-y", str(ROWS)
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), "sh", "-c", told)
        self._tmux("pipe-pane", f"cat > {shlex.quote(str(self._log))}")
        self.say("")

    def read_to(self, words):
        """Read on until it says this; what it said before."""
        end_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(words, self._said()[self._read :])):
            assert time.monotonic() < end_s, self._said()[self._read :]
            time.sleep(LOOK_S)
        before = self._said()[self._read : self._read + found.start()]
        self._read += found.end()
        return before

    def say(self, words):
        """Type it, and Enter."""
        if words:
            self._tmux("send-keys", "-l", str(words))
        self._tmux("send-keys", "Enter")

    def interrupt(self):
        """Ctrl-C."""
        self._tmux("send-keys", "C-c")

    def screen(self):
        """As a person sees it."""
        return self._tmux("capture-pane", "-p")

    def end(self):
        """Its exit code, once it has ended."""
        self.read_to(r"(?=ended with \d)")
        return int(re.search(ENDED, self._said()[self._read :]).group(1))

    def close(self):
        """Away with it, if it is still there."""
        command = ["tmux", "-L", self._server, "kill-server"]
        subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_S)

    def _said(self):
        return COLOURS.sub("", self._log.read_text(errors="replace")) if self._log.exists() else ""

    def _tmux(self, *words):
        command = ["tmux", "-u", "-L", self._server, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout
