"""The demo's lane: where things stand, and the settings that a site would write for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from edge.demo import film
from edge.demo.scene import Scene
from edge.demo.stage import Ports
from edge.simulator.plan import Geometry

SITE, LANE = "demo", "lane1"
SPEED_MM_PER_S = 500.0
FILM = "film.avi"
FIRST_CAMERA_MM, CAMERA_PITCH_MM = 400.0, 100.0
GATE_AFTER_MM, CONFIRM_AFTER_MM, EXIT_AFTER_MM = 1000.0, 200.0, 250.0


def geometry(cameras: Collection[str]) -> Geometry:
    """Cameras one after the other, then two seconds of belt to the gate."""
    places_mm = {name: FIRST_CAMERA_MM + n * CAMERA_PITCH_MM for n, name in enumerate(sorted(cameras))}
    gate_mm = max(places_mm.values()) + GATE_AFTER_MM
    return Geometry(
        counts_per_mm=10,
        camera_mm=places_mm,
        gate_mm=gate_mm,
        confirm_mm=gate_mm + CONFIRM_AFTER_MM,
        exit_mm=gate_mm + EXIT_AFTER_MM,
        gate_ms=60,
    )


def stations(lane: Geometry) -> dict[str, float]:
    """What stands along the belt, in mm downstream of the induct photoeye."""
    cameras = {f"{name} camera": place_mm for name, place_mm in lane.camera_mm.items()}
    gate = {"gate": lane.gate_mm, "confirm eye": lane.confirm_mm, "exit eye": lane.exit_mm}
    return {"induct eye": 0.0, **cameras, **gate}


def lane_toml(
    scene: Scene,
    lane: Geometry,
    folder: Path,
    ports: Ports,
    speed_mm_per_s: float = SPEED_MM_PER_S,
) -> str:
    """The settings file for `tunnel-edge run`."""
    tables: dict[str, dict[str, Any]] = {
        "lane": {"site": SITE, "name": LANE, "state": str(folder / "state")},
        "broker": {"port": ports.broker},
        "belt": {
            "counts_per_mm": lane.counts_per_mm,
            "gate_mm": lane.gate_mm,
            "confirm_mm": lane.confirm_mm,
            "exit_mm": lane.exit_mm,
            "scanner_mm": lane.scanner_mm,
            "full_speed_mm_per_s": speed_mm_per_s,
        },
        "inspection": {
            "references": str(folder / "references"),
            "belt_colours": str(folder / "belts"),
            "date_orders": ["DMY"],
        },
        "metrics": {"port": ports.metrics},
        "tap": {"endpoint": local(ports.tap)},
        "recipe": {"name": "demo"},
    }
    wires = {name: _gige(address) for name, address in ports.cameras.items()}
    feed = {"node": local(ports.frames)}
    cameras = [{"name": name, "place_mm": mm} | wires.get(name, feed) for name, mm in lane.camera_mm.items()]
    if wires:
        cameras.append({"name": film.CAMERA, "place_mm": FIRST_CAMERA_MM, "opencv": str(folder / FILM)})
    return (
        "".join(f"[{name}]\n{_keys(keys)}" for name, keys in tables.items())
        + "".join(f"[[recipe.rule]]\n{_keys(rule.model_dump(mode='json', exclude_none=True))}" for rule in scene.rules)
        + "".join(f"[[camera]]\n{_keys(camera)}" for camera in cameras)
    )


def _gige(address: str) -> dict[str, Any]:
    """A GigE Vision camera that is triggered by a photoeye, and counts the belt itself."""
    features = {"PixelFormat": "BGR8", "TriggerMode": "On", "TriggerSource": "Line1"}
    chunks = {"encoder": "EncoderValue", "timestamp": "Timestamp"}
    return {"gige": address, "triggered": True, "features": features, "chunks": chunks}


def local(port: int) -> str:
    """A ZeroMQ endpoint on this machine."""
    return f"tcp://127.0.0.1:{port}"


def _keys(table: Mapping[str, Any]) -> str:
    """TOML keys."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    """A JSON scalar or list is a TOML one too."""
    if not isinstance(value, Mapping):
        return json.dumps(value)
    return "{" + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + "}"
