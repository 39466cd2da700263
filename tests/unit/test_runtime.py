"""How models are run on this box: the record that `models select` writes, and what is made of it."""

import logging
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from edge.core.errors import ModelRefused
from edge.inspection import runtime
from edge.inspection.assembly import Sessions
from edge.inspection.runtime import CPU, SHIPPED, Runtime
from edge.inspection.session import Session, newest, read_manifest

MODELS = Path(__file__).resolve().parents[2] / "models"
FLOAT32 = Runtime("model.fp32.onnx", CPU, 2)
PICTURE = np.random.default_rng(0).standard_normal((1, 3, 256, 256)).astype(np.float32)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    chosen = {"a" * 64: SHIPPED, "b" * 64: FLOAT32}
    runtime.write(tmp_path / "state" / "runtime.toml", chosen)
    assert runtime.read(tmp_path / "state" / "runtime.toml") == chosen


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("threads = 2", "threads = 64"),
        ('provider = "CPU', 'provider = "GPU'),
        ("cores", "kores"),
        ('seal = "', 'seal = "0'),
        ("[machine]", ""),
    ],
)
def test_a_changed_record_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str, after: str
) -> None:
    path = tmp_path / "runtime.toml"
    runtime.write(path, {"a" * 64: FLOAT32})
    path.write_text(path.read_text().replace(before, after, 1))
    assert runtime.read(path) == {}
    assert "changed or damaged" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"seal", b'seal = "x"\n[machine]\n'])
def test_a_file_of_another_kind_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    (tmp_path / "runtime.toml").write_bytes(content)
    assert runtime.read(tmp_path / "runtime.toml") == {}
    assert "models select" in caplog.text


def test_a_missing_record_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert runtime.read(tmp_path / "runtime.toml") == {}
    assert "run as shipped" in caplog.text


def test_a_record_of_another_machine_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.write(tmp_path / "runtime.toml", {"a" * 64: FLOAT32})
    (tmp_path / "cpuinfo").write_text("model name\t: Another CPU\nflags\t\t: fpu avx2\n\nmodel name\t: Another CPU\n")
    monkeypatch.setattr(runtime, "CPUINFO", tmp_path / "cpuinfo")
    assert runtime.read(tmp_path / "runtime.toml") == {}
    assert "Another CPU" in caplog.text


def test_processors_of_one_name_that_can_do_different_things_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "CPUINFO", tmp_path / "cpuinfo")
    seen = set()
    for flags in ("fpu avx2", "fpu avx2 avx512_vnni"):
        (tmp_path / "cpuinfo").write_text(f"model name\t: CPU\nflags\t\t: {flags}\n")
        seen.add(runtime.machine()["processor"])
    assert len(seen) == 2


def test_a_machine_without_cpuinfo_is_known_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "CPUINFO", tmp_path / "missing")
    assert runtime.machine()["processor"]


def test_a_session_runs_as_chosen_and_stays_the_same_model() -> None:
    folder = newest(MODELS, "backbone")
    manifest = read_manifest(folder)
    shipped, chosen = Session.load(folder), Session.load(folder, {manifest.sha256: FLOAT32})
    assert chosen.manifest == shipped.manifest  # so references that were made before still fit
    patches, exact = shipped.run(PICTURE)[0], chosen.run(PICTURE)[0]
    assert patches.shape == exact.shape
    assert not np.array_equal(patches, exact)


def test_a_model_that_was_never_measured_runs_as_shipped_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    folder = newest(MODELS, "backbone")
    with caplog.at_level(logging.WARNING):
        session = Session.load(folder, {"another": FLOAT32})
    assert np.array_equal(session.run(PICTURE)[0], Session.load(folder).run(PICTURE)[0])
    assert "never measured" in caplog.text


def test_a_graph_that_the_manifest_does_not_know_is_refused() -> None:
    folder = newest(MODELS, "text-detector")
    with pytest.raises(ModelRefused, match=r"knows no model\.fp32\.onnx"):
        Session.open(folder, read_manifest(folder), FLOAT32)


def test_a_changed_float_graph_is_refused(tmp_path: Path) -> None:
    folder = copytree(newest(MODELS, "backbone"), tmp_path / "1.0.0")
    (folder / FLOAT32.graph).write_bytes(b"another")
    with pytest.raises(ModelRefused, match="SHA-256"):
        Session.load(folder, {read_manifest(folder).sha256: FLOAT32})


def test_sessions_read_the_record_that_the_settings_name(tmp_path: Path) -> None:
    manifest = read_manifest(newest(MODELS, "backbone"))
    runtime.write(tmp_path / "runtime.toml", {manifest.sha256: FLOAT32})
    as_shipped, as_chosen = (Sessions(MODELS, record).of("backbone") for record in (None, tmp_path / "runtime.toml"))
    assert not np.array_equal(as_shipped.run(PICTURE)[0], as_chosen.run(PICTURE)[0])
