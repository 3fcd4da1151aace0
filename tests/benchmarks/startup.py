"""What starting costs: CPU, modules, memory and libraries nobody asked for, of `python -c ...` under each agent.

CPU is user and system time as the kernel gives it to the parent, a launcher's own included. Added is with the agent
minus without, in the agent's environment, the least of all rounds each. Memory is the peak resident set (VmHWM) of the
process.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.report import Claim, Section, added, at_most, times
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, ProgramError, Variant

PROGRAMS = {"pass": "pass", "import flask, requests": "import flask, requests"}
SECTIONS = ("cpu", "contents")
CPU_LIMITS_MS = {"pass": 40.0, "import flask, requests": 120.0}
MODULES_LIMIT, MEMORY_LIMIT_MB = 120, 15.0
# What an agent is made of; everything else that is not the standard library is somebody's library.
OWN = {
    "remora": {"remora", "remora_launch", "remora_plugins", "pluggy", "wrapt"},
    "opentelemetry": {
        "opentelemetry",
        "google",
        "wrapt",
        "packaging",
        "typing_extensions",
        "importlib_metadata",
        "zipp",
    },
    "ddtrace": {"ddtrace", "envier", "bytecode", "wrapt", "opentelemetry", "typing_extensions", "xmltodict"},
}
# Linux keeps the peak per program; ru_maxrss would begin with that of the process that forked.
_TELL = """
import sys
try:
    status = open("/proc/self/status").read()
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
except (OSError, ValueError, IndexError):
    import resource
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print(repr({"peak_mb": peak_kb / 1024, "modules": sorted(sys.modules), "standard": sorted(sys.stdlib_module_names)}))
"""


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=15)
    if reason := variants.remora_is_here():
        raise SystemExit(reason)
    found = peers.prepare([name for name in asked.peers if name != "fastotel"], asked.peers_dir)
    with Sink() as sink, tempfile.TemporaryDirectory(prefix="remora-benchmark-") as state:
        ours = variants.remora(sink.url, Path(state))
        agents = [(OURS, ours), (OURS, variants.remora_run(sink.url, Path(state)))]
        agents += [(peer.name, variants.launched(peer, sink.url)) for peer in found.values() if peer.python is not None]
        plains = {name: variants.plain(agent.python, f"plain for {name}") for name, agent in agents}
        sections = []
        if asked.wants("cpu"):
            sections += [_cpu(asked, agents, plains, title) for title in PROGRAMS]
        if asked.wants("contents"):
            sections.append(_contents(agents, plains))
    report.publish("startup", asked, found, sections)


def _cpu(asked: options.Options, agents: list[tuple[str, Variant]], plains: dict[str, Variant], title: str) -> Section:
    every = [*plains.values(), *(agent for _, agent in agents)]
    rounds = interleaved(every, asked.rounds, lambda one: _started(one, PROGRAMS[title]), warm=True)
    section = Section(
        f"cpu: {title}",
        f"CPU added to `python -c '{title}'`",
        ("ms of CPU", "plain", "added, least", "added, median", "is ours x"),
        measured=dict(rounds),
    )
    costs: dict[str, list[float]] = {}
    for name, agent in agents:
        busy, calm = column(rounds, agent.label, "cpu_ms"), column(rounds, plains[name].label, "cpu_ms")
        costs[agent.label], cells = added(busy, calm)
        if costs[agent.label]:
            section.rows.append((_called(agent), *cells, times(costs[agent.label], costs[OURS])))
    for _, agent in agents[:2]:
        section.claims.append(
            at_most(f"CPU added, {_called(agent)}", costs[agent.label][0], CPU_LIMITS_MS[title], "ms")
        )
    return section


def _contents(agents: list[tuple[str, Variant]], plains: dict[str, Variant]) -> Section:
    section = Section(
        "contents",
        "What is in the process once the program has run",
        ("", "modules added", "peak MB, plain", "peak MB added", "libraries unasked"),
    )
    for title, program in PROGRAMS.items():
        for name, agent in agents:
            calm = [_told(plains[name], program) for _ in range(3)]
            try:
                busy = [_told(agent, program) for _ in range(3)]
            except ProgramError as error:
                section.notes.append(f"{agent.label} is left out: {error}")
                continue
            modules = len(set(busy[0]["modules"]) - set(calm[0]["modules"]))
            base = median(each["peak_mb"] for each in calm)
            more = median(each["peak_mb"] for each in busy) - base
            unasked = _unasked(busy[0], calm[0], OWN[name])
            section.rows.append(
                (f"{title}: {_called(agent)}", str(modules), f"{base:.1f}", f"{more:.1f}", str(len(unasked)))
            )
            section.measured[f"{title}: {agent.label}"] = {"modules": modules, "peak_mb": more, "unasked": unasked}
            if name == OURS and any(module.startswith("__editable__") for module in calm[0]["modules"]):
                section.notes.append("plain pays for an editable install's import hook here: install Remora for real")
            if unasked:
                section.notes.append(f"unasked by {agent.label} in {title!r}: {', '.join(unasked)}")
            if agent.label == OURS:
                section.claims += [
                    at_most(f"modules added, {title}", modules, MODULES_LIMIT, ""),
                    at_most(f"peak memory added, {title}", more, MEMORY_LIMIT_MB, "MB"),
                    Claim(f"libraries imported unasked, {title}", str(len(unasked)), "0", not unasked),
                ]
    return section


def _unasked(busy: dict[str, Any], calm: dict[str, Any], own: set[str]) -> list[str]:
    def libraries(told: dict[str, Any]) -> set[str]:
        tops = {module.partition(".")[0] for module in told["modules"]}
        return {top for top in tops - set(told["standard"]) if not top.startswith("_")}

    return sorted(libraries(busy) - libraries(calm) - own - {"sitecustomize", "usercustomize", "cython_runtime"})


def _called(agent: Variant) -> str:
    return "remora, by environment" if agent.label == OURS else agent.label


def _started(variant: Variant, program: str) -> dict[str, Any]:
    """CPU of the process and everything it became or waited for."""
    command = variant.command("-c", program)
    with tempfile.TemporaryFile() as noise:
        process = subprocess.Popen(
            command, env=variant.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=noise
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            noise.seek(0)
            raise ProgramError(f"{' '.join(command)} ended with {process.returncode}: {noise.read()[-800:]!r}")
    return {"cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000}


def _told(variant: Variant, program: str) -> dict[str, Any]:
    done = subprocess.run(
        variant.command("-c", program + _TELL),
        env=variant.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramError(done.stderr[-800:])
    told: dict[str, Any] = ast.literal_eval(done.stdout.splitlines()[-1])
    return told


if __name__ == "__main__":
    main()
