"""Where the lake lies: a folder or an object store, through fsspec; an object is written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from edge.core.errors import LakeRefused
from edge.disk import made, synced

UNFINISHED = ".part"  # of a file in a folder, until it has its name


class Store:
    """An object store: what is put there is there whole."""

    def __init__(self, base: fsspec.AbstractFileSystem, root: str) -> None:
        self._base = base
        self.root = root.rstrip("/")

    def keep(self, name: str, content: bytes) -> None:
        """Write an object; one of this name is replaced."""
        with self._told(name):
            self._base.pipe_file(self._path(name), content)

    def claim(self, name: str, content: bytes) -> bool:
        """Write an object, unless there is one of this name; False: there is."""
        with self._told(name):
            try:
                self._base.pipe_file(self._path(name), content, mode="create")
            except FileExistsError:
                return False
        return True

    def read(self, name: str) -> bytes | None:
        """An object; None: there is none."""
        with self._told(name):
            try:
                content: bytes = self._base.cat_file(self._path(name))
            except FileNotFoundError:
                return None
        return content

    def names(self, folder: str) -> list[str]:
        """All that lies beneath a folder, in order."""
        with self._told(folder):
            found = self._base.find(self._path(folder))
        return sorted(path[len(self._path("")) :] for path in map(self._plain, found) if not path.endswith(UNFINISHED))

    def take_away(self, name: str) -> None:
        """Remove an object."""
        with self._told(name):
            self._base.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _plain(self, path: str) -> str:
        return str(self._base._strip_protocol(path))

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What a store may raise, told in one way; each has errors of its own, so all of them are meant."""
        try:
            yield
        except Exception as error:
            raise LakeRefused(
                f"{self._path(name)}: {type(error).__name__}: {error}: is the store there, are the credentials right, "
                "and is there room? What was exported stays good; run it again."
            ) from error


class Folder(Store):
    """A folder: a file gets its name once it is on the disk."""

    def keep(self, name: str, content: bytes) -> None:
        """As `Store.keep`."""
        with self._told(name):
            self._base.mv(self._unfinished(name, content), self._path(name))
            self._settle(name)

    def claim(self, name: str, content: bytes) -> bool:
        """As `Store.claim`; a link is made only where there is no such name."""
        with self._told(name):
            unfinished = self._unfinished(name, content)
            try:
                self._base.link(unfinished, self._path(name))
            except FileExistsError:
                return False
            finally:
                self._base.rm_file(unfinished)
            self._settle(name)
        return True

    def _unfinished(self, name: str, content: bytes) -> str:
        path = self._path(name) + UNFINISHED
        made(Path(self._base._parent(path)))
        if self._base.exists(path):
            self._base.rm_file(path)  # of a run that was killed; it may be one with what it was linked to
        with self._base.open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return path

    def _settle(self, name: str) -> None:
        """The name is on the disk, too."""
        synced(Path(self._base._parent(self._path(name))))


def at(place: str, endpoint_url: str = "") -> Store:
    """The store at a folder's path or a URL; credentials are the environment's.

    Raises:
        LakeRefused: no such kind of store is known, or what it needs is not installed.
    """
    words = {"endpoint_url": endpoint_url} if endpoint_url else {}
    try:
        base, root = fsspec.core.url_to_fs(place, use_listings_cache=False, skip_instance_cache=True, **words)
    except (ImportError, ValueError, TypeError) as error:
        raise LakeRefused(f"{place}: {error}: for S3 install `tunnel-edge[lake]`; other stores need theirs.") from error
    return (Folder if isinstance(base, LocalFileSystem) else Store)(base, root)
