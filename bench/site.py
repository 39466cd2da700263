"""A whole site for benches: broker, daemon and a belt in software with drawn packages, in real time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from rich.console import Console

from edge.demo import stage
from edge.demo.main import teach
from edge.demo.scene import Scene, drawn
from edge.demo.score import Account, account
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml, local
from edge.records.outbox import outbox
from edge.simulator.plan import Plan
from edge.simulator.run import Patience, simulate

DRAWN = 40  # packages, sent again and again under new names
ITEMS_A_MINUTE = 75.0
ANSWERS_S = 30.0


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with all that a lane's processes need."""

    folder: Path
    scene: Scene
    ports: stage.Ports

    @property
    def daemon(self) -> list[str]:
        """The command that runs the daemon."""
        return stage.own_command("run", str(self.folder / "lane.toml"))

    @property
    def broker(self) -> list[str]:
        """The command that runs the broker."""
        return [stage.mosquitto(), "-c", str(self.folder / "mosquitto.conf")]

    def belt(self, items: int, seed: int) -> threading.Thread:
        """The lane in software: so many items, each an order of its own, until the last has left."""
        of_scene = self.scene.items
        orders = tuple(
            replace(of_scene[n % len(of_scene)], wms_item=f"wms-{n:05d}", order_line=f"order-{n:05d}")
            for n in range(items)
        )
        plan = Plan(SITE, LANE, geometry(self.scene.frames), orders, SPEED_MM_PER_S, ITEMS_A_MINUTE, seed=seed)
        return threading.Thread(
            target=simulate,
            args=(plan, "127.0.0.1", self.ports.broker, local(self.ports.frames), self.folder / "truth.json"),
            kwargs={"patience": Patience(grace_s=8)},
        )

    def await_answers(self) -> None:
        """Give the warehouse time to acknowledge the last replacements."""
        end_s = time.monotonic() + ANSWERS_S
        while time.monotonic() < end_s and None in outbox(self.folder / "state").values():
            time.sleep(0.2)

    def account(self) -> Account:
        """The daemon's journal against what really happened."""
        return account(self.folder / "state", self.folder / "truth.json", self.scene)


def laid_out(folder: Path, seed: int, console: Console) -> Site:
    """Draw packages, teach the appliance what normal looks like, write the settings."""
    scene = drawn(folder / "drawn", DRAWN, seed, date.today())
    teach(scene, folder, console)
    ports = stage.free_ports()
    (folder / "lane.toml").write_text(lane_toml(scene, geometry(scene.frames), folder, ports))
    (folder / "mosquitto.conf").write_text(stage.lasting_broker_settings(ports.broker, folder))
    return Site(folder, scene, ports)
