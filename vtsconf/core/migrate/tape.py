"""A virtual tape as it lies on a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tape:
    """One cartridge. `path` is the whole path, `/VAULT01/POOL1/TAPE001`; bytes that are no UTF-8 are surrogates."""

    path: str
    size: int  # bytes; 0: erased
    mtime: int  # nanoseconds since 1970, by the server's clock; whole seconds from an old `find`
    inode: int
    owner: str = ""
    allocated: int = 0  # bytes on the disk; less than `size`: sparse

    @property
    def vault(self) -> str:
        return self.path.split("/")[-3]

    @property
    def pool(self) -> str:
        return self.path.split("/")[-2]

    @property
    def cartridge(self) -> str:
        return self.path.rsplit("/", 1)[1]

    @property
    def is_erased(self) -> bool:
        """Its data is gone from the disk: "The size of an erased virtual tape is 0." [8.2 Config p.77]"""
        return self.size == 0

    def is_same(self, other: Tape) -> bool:
        """Nobody has written to it in between, as far as size, mtime and inode tell."""
        return (self.size, self.mtime, self.inode) == (other.size, other.mtime, other.inode)
