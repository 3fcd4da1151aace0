"""The command line that all benchmarks share."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import PEERS


@dataclass(frozen=True)
class Options:
    """What was asked for. ``rounds`` is how often every variant is measured, in turns."""

    rounds: int
    quick: bool
    json: bool
    peers: tuple[str, ...]
    peers_dir: Path
    only: tuple[str, ...]

    def wants(self, section: str) -> bool:
        return not self.only or section in self.only


def parse(documentation: str | None, sections: tuple[str, ...], rounds: int) -> Options:
    """Options of one benchmark; ``rounds`` is its default, ``--quick`` makes it one."""
    parser = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = f"{sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}"
    add = parser.add_argument
    add("--rounds", type=int, metavar="N", help=f"how often each variant is measured, in turns (default: {rounds})")
    add("--quick", action="store_true", help="one short round: shows that it works, its times say little")
    add("--json", action="store_true", help="print one JSON object instead of tables")
    add("--peers", default=",".join(PEERS), metavar="LIST", help=f"of {', '.join(PEERS)}; empty for none")
    add(
        "--peers-dir",
        type=Path,
        default=Path(cache) / "remora-benchmarks" / version,
        metavar="DIR",
        help="where the peers' virtual environments are kept (default: %(default)s)",
    )
    add("--only", default="", metavar="LIST", help=f"of {', '.join(sections)} (default: all)")
    given = parser.parse_args()
    peers = tuple(name.strip() for name in given.peers.split(",") if name.strip())
    only = tuple(name.strip() for name in given.only.split(",") if name.strip())
    for names, known in ((peers, tuple(PEERS)), (only, sections)):
        for name in names:
            if name not in known:
                parser.error(f"{name!r} is none of {', '.join(known)}")
    return Options(
        rounds=given.rounds or (1 if given.quick else rounds),
        quick=given.quick,
        json=given.json,
        peers=peers,
        peers_dir=given.peers_dir,
        only=only,
    )
