"""What runs here reports to nobody."""

import subprocess
import sys

LOAD = """
from edge.inspection.session import Session, newest
from edge.settings import ROOT
Session.load(newest(ROOT / "models", "backbone"))
"""


def test_loading_a_model_leaves_nothing_in_the_home_folder(tmp_path, monkeypatch):
    """ONNX Runtime's reports to its maker begin with a device id there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    subprocess.run([sys.executable, "-c", LOAD], check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []
