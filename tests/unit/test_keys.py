"""Keys: made once, the secret for its owner alone, and told what is wrong with a file."""

import stat

import pytest
import zmq.auth

from edge.core.errors import ConfigError
from edge.keys import make, own, public


def test_a_pair_is_made_and_read(tmp_path):
    theirs, mine = make(tmp_path / "keys", "box")
    assert (theirs.name, mine.name) == ("box.key", "box.key_secret")
    assert stat.S_IMODE(mine.stat().st_mode) == 0o600
    assert public(theirs) == own(mine).public
    assert "secret-key" not in theirs.read_text()


def test_the_files_are_those_of_zmq_auth(tmp_path):
    _, mine = make(tmp_path, "box")
    assert zmq.auth.load_certificate(mine) == (own(mine).public, own(mine).secret)
    zmq.auth.create_certificates(tmp_path, "other")
    (tmp_path / "other.key_secret").chmod(0o600)
    assert own(tmp_path / "other.key_secret").public == public(tmp_path / "other.key")


def test_a_key_is_never_overwritten(tmp_path):
    _, mine = make(tmp_path, "box")
    before = mine.read_text()
    with pytest.raises(ConfigError, match="File exists"):
        make(tmp_path, "box")
    assert mine.read_text() == before


def test_a_secret_that_others_may_read_is_refused(tmp_path):
    _, mine = make(tmp_path, "box")
    mine.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        own(mine)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read"),
        ("", "holds no secret key"),
        ('public-key = "abc"\nsecret-key = "abc"', "holds no public-key"),
        (f'public-key = "{"~" * 40}"\nsecret-key = "x"', "holds no public-key"),
        (f'public-key = "{"0" * 40}"\nsecret-key = "{"1" * 40}"', "do not belong together"),
    ],
)
def test_a_file_that_is_no_key_is_told(tmp_path, text, told):
    path = tmp_path / "box.key_secret"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    with pytest.raises(ConfigError, match=told):
        own(path)


def test_a_public_file_holds_no_secret(tmp_path):
    theirs, _ = make(tmp_path, "box")
    theirs.chmod(0o600)
    with pytest.raises(ConfigError, match="holds no secret key"):
        own(theirs)
