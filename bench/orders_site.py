"""A site for `bench.orders`: the cheapest recipe there is (a code against the order), and a warehouse of its own."""

from __future__ import annotations

import random
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

from bench.kills import Victim
from edge.demo import stage
from edge.demo.settings import local
from edge.simulator.plan import Geometry, Plan, PlannedItem
from edge.simulator.run import Patience, simulate

SITE, LANE = "site1", "lane1"
ORDERED, ANOTHER = "4006381333931", "4012345678901"
PICTURES = 24
ITEM_MM, SPEED_MM_PER_S = 120.0, 600.0
BELT = Geometry(
    counts_per_mm=10, camera_mm={"top": 300}, gate_mm=1300, confirm_mm=1450, exit_mm=1500, gate_ms=60, scanner_mm=250
)
SETTINGS = """
[lane]
site = "{site}"
name = "{lane}"
state = "{folder}/state"
[broker]
port = {ports.broker}
[belt]
counts_per_mm = 10
gate_mm = 1300
confirm_mm = 1450
exit_mm = 1500
scanner_mm = 250
full_speed_mm_per_s = {speed}
[[camera]]
name = "top"
place_mm = 300
node = "{frames}"
[inspection]
references = "{folder}/references"
[metrics]
port = {ports.metrics}
[tap]
endpoint = "{tap}"
[recipe]
name = "codes"
[[recipe.rule]]
check = "code"
cameras = ["top"]
agrees = "code"
"""
BY_HTTP = """
[warehouse]
url = "http://127.0.0.1:{port}/wms"
answer_s = 4
"""
# Now and then a warehouse is slow, late, out of stock, loses an answer, says it twice, or fails.
MOOD = {"slow": 0.1, "slow-s": 2, "late": 0.1, "late-s": 8, "refuse": 0.05, "lose": 0.08, "twice": 0.2, "fail": 0.08}


@dataclass(frozen=True, slots=True)
class OrderSite:
    """A folder with all that the processes of a run need."""

    folder: Path
    ports: stage.Ports
    warehouse_port: int
    transport: str

    @property
    def shelf(self) -> Path:
        """What the warehouse remembers."""
        return self.folder / "warehouse.sqlite"

    def daemon(self) -> Victim:
        """Started."""
        return Victim(stage.own_command("run", str(self.folder / "lane.toml")), self.folder / "daemon.log")

    def broker(self) -> Victim:
        """Started."""
        return Victim([stage.mosquitto(), "-c", str(self.folder / "mosquitto.conf")], self.folder / "mosquitto.log")

    def warehouse(self, seed: int) -> Victim:
        """Started; on one port in every life."""
        http = ["--http", f"127.0.0.1:{self.warehouse_port}"]
        mqtt = ["--broker", f"127.0.0.1:{self.ports.broker}", "--site", SITE, "--lane", LANE]
        mood = [word for name, value in MOOD.items() for word in (f"--{name}", str(value))]
        where = http if self.transport == "http" else mqtt
        words = [sys.executable, "-m", "edge", "warehouse", "--file", str(self.shelf), "--seed", str(seed)]
        return Victim([*words, *where, *mood], self.folder / "warehouse.log")

    def belt(self, items: int, rate: float, bad: float, seed: int) -> threading.Thread:
        """The lane in software: so many items a second, each an order of its own; its warehouse only announces."""
        orders = tuple(_planned(self.folder, number, bad, seed) for number in range(items))
        plan = Plan(SITE, LANE, BELT, orders, SPEED_MM_PER_S, 60 * rate, seed=seed)
        return threading.Thread(
            target=simulate,
            args=(plan, "127.0.0.1", self.ports.broker, local(self.ports.frames), self.folder / "truth.json"),
            kwargs={"patience": Patience(grace_s=8), "asked": ()},
        )


def laid_out(folder: Path, transport: str) -> OrderSite:
    """Draw a few packages, write the settings."""
    ports, other = stage.free_ports(), stage.free_ports()
    for gtin in (ORDERED, ANOTHER):
        for number in range(PICTURES):
            cv2.imwrite(str(_picture(folder, gtin, number)), _package(gtin, number))
    told = SETTINGS.format(
        folder=folder,
        ports=ports,
        frames=local(ports.frames),
        tap=local(ports.tap),
        speed=SPEED_MM_PER_S,
        site=SITE,
        lane=LANE,
    )
    by_http = BY_HTTP.format(port=other.broker) if transport == "http" else ""
    (folder / "lane.toml").write_text(told + by_http)
    (folder / "mosquitto.conf").write_text(stage.lasting_broker_settings(ports.broker, folder))
    return OrderSite(folder, ports, other.broker, transport)


def _planned(folder: Path, number: int, bad: float, seed: int) -> PlannedItem:
    is_bad = random.Random(f"{seed}-{number}").random() < bad  # noqa: S311 - a reproducible draw
    picture = _picture(folder, ANOTHER if is_bad else ORDERED, number % PICTURES)
    return PlannedItem(
        f"wms-{number:05d}", f"0{ORDERED}", f"order-{number:05d}", ITEM_MM, {"top": picture}, is_bad, "another product"
    )


def _picture(folder: Path, gtin: str, number: int) -> Path:
    return folder / f"{gtin}-{number:02d}.png"


def _package(gtin: str, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A carton with its code, each in another place and grain."""
    chance = np.random.default_rng(number)
    image = chance.normal(170, 6, (240, 400)).clip(0, 255).astype(np.uint8)
    code = zxingcpp.create_barcode(gtin, zxingcpp.BarcodeFormat.EAN13).to_image(scale=2, add_quiet_zones=True)
    drawn = np.array(code, np.uint8)
    top_px, left_px = (
        int(chance.integers(0, most - size)) for most, size in zip(image.shape, drawn.shape, strict=True)
    )
    image[top_px : top_px + drawn.shape[0], left_px : left_px + drawn.shape[1]] = drawn
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
