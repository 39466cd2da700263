"""A unit's own copy of a secret file goes before the one that the settings name."""

from pathlib import Path

from edge.credentials import where
from edge.sentinel.watch import own


def test_a_units_own_copy_goes_first(tmp_path, monkeypatch):
    named = Path("/etc/tunnel-edge/keys/client.key")
    assert where(named) == named
    assert own(named) == str(named)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert where(named) == named  # it has none of that name
    (tmp_path / "keys_client.key").write_text("mine")
    assert where(named) == tmp_path / "keys_client.key"
    assert own(named) == str(tmp_path / "keys_client.key")  # the sentinel finds it by itself
