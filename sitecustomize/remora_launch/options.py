"""The options of `remora run`: each one sets environment variables, and no more."""

from __future__ import annotations

from remora_launch import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_DESCRIPTION = """\
Run a program with telemetry: every Python that CMD starts is traced, without a change to its code.
CMD is anything you would type in a shell: a script, `python -m package`, gunicorn, uvicorn, celery, a shell script."""

_EPILOG = """\
examples:
  remora run python app.py
  remora run --service-name shop gunicorn shop.wsgi -w 4
  remora run --endpoint http://collector:4318 -- uvicorn shop:app --reload
  remora run --exporter console app.py
  eval "$(remora run --print-env)"; ./start.sh

Without --endpoint, and no collector on this machine, traces go to the local store: see them with `remora show`.
The options only set environment variables: `remora env` lists all. REMORA_ENABLED=false switches everything off."""

_EXPORTERS = ("otlp", "store", "console", "none")
_FORMATS = ("shell", "docker", "plain")
_TAKE_A_VALUE = frozenset(("--service-name", "--endpoint", "--exporter", "--disable", "--set"))
_DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


class Asked:
    """What the command line asks for: variables to set, the command, and how to print instead of running it."""

    __slots__ = ("command", "print_env", "variables")

    def __init__(self, variables: dict[str, str], command: list[str], print_env: str | None) -> None:
        self.variables = variables
        self.command = command
        self.print_env = print_env


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Asked:
    """Read the words after `remora run`; the options end where the command begins. Exits with 2 on wrong usage."""
    ours, command = _split(argv)
    if command and not ours:
        return Asked({}, command, None)
    parser = _parser()
    given = parser.parse_args(ours)
    if given.print_env and command:
        form = f"; for another form write --print-env={command[0]}" if command[0] in _FORMATS else ""
        parser.error(f"--print-env takes no command{form}")
    if not command and not given.print_env:
        parser.error("which command? For example: remora run python app.py")
    variables: dict[str, str] = {}
    if given.service_name is not None:
        variables["OTEL_SERVICE_NAME"] = given.service_name
    if given.endpoint is not None:
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = given.endpoint
    if given.exporter is not None:
        variables["OTEL_TRACES_EXPORTER"] = variables["OTEL_METRICS_EXPORTER"] = given.exporter
    if given.disable:
        already = [names for names in [environ.get(_DISABLED)] if names]
        variables[_DISABLED] = ",".join(already + given.disable)
    for assignment in given.set:
        name, equals, value = assignment.partition("=")
        if not name or not equals:
            parser.error(f"--set {assignment}: write it as VARIABLE=VALUE")
        variables[name] = value
    for problem in _problems(variables) if variables else ():
        parser.error(problem)
    return Asked(variables, command, given.print_env)


def assignments(variables: dict[str, str], form: str) -> str:
    """``variables`` for a shell's eval, a Dockerfile, or an env file, one to a line."""
    from shlex import quote  # with `re`, only for who asks

    lines = []
    for name, value in variables.items():
        if form == "shell":
            lines.append(f"export {name}={quote(value)}\n")
        elif form == "docker" and name == "PYTHONPATH":
            # The image's own, not that of the machine this is printed on.
            lines.append(f'ENV {name}="{environment.ONPATH}${{PYTHONPATH:+:$PYTHONPATH}}"\n')
        elif form == "docker":
            quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
            lines.append(f'ENV {name}="{quoted}"\n')
        else:
            lines.append(f"{name}={value}\n")
    return "".join(lines)


def _parser() -> argparse.ArgumentParser:
    import argparse  # 6 ms, which `remora run CMD` need not pay

    parser = argparse.ArgumentParser(
        prog="remora run",
        usage="remora run [options] CMD ...",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--service-name", metavar="NAME", help="how the program is called in traces (default: guessed from it)")
    add("--endpoint", metavar="URL", help="OTLP collector, for example http://localhost:4318")
    add("--exporter", choices=_EXPORTERS, help="where traces and metrics go (default: otlp)")
    add("--disable", metavar="NAME,..", action="append", help="what not to trace (remora plugins); * and ? are fine")
    add("--set", metavar="VAR=VALUE", action="append", default=[], help="any OTEL_* or REMORA_* variable; repeatable")
    add(
        "--print-env",
        metavar="FORMAT",
        nargs="?",
        const="shell",
        choices=_FORMATS,
        help="print the environment instead of running; --print-env=docker or =plain for Dockerfiles and env files",
    )
    return parser


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options, and the command: the first word that is neither an option nor an option's value, or what follows --.

    Not left to argparse, whose versions differ in what they do to a command's own options and its `--`.
    """
    position = 0
    while position < len(argv):
        word = argv[position]
        if word == "--":
            return list(argv[:position]), list(argv[position + 1 :])
        if not word.startswith("-"):
            break
        position += 2 if word in _TAKE_A_VALUE else 1
    return list(argv[:position]), list(argv[position:])


def _problems(variables: Mapping[str, str]) -> list[str]:
    """What the settings have against them. Only what is typed here: what the environment says is told at start."""
    from remora import settings  # not for `remora run --help`

    known = [variable.name for variable in settings.VARIABLES]
    problems = []
    for name in variables:
        if name in known or not name.startswith(("REMORA_", "OTEL_")):
            continue
        meant = _meant(name, known)
        # Any OTEL_ variable may be one that a guest instrumentation reads; one of ours we know.
        if name.startswith("REMORA_") or meant:
            problems.append(f"--set {name}: there is no such variable{meant}; `remora env` lists all")
    # Their last words say which value is taken instead: none here.
    return problems or [problem.rpartition(";")[0] or problem for problem in settings.load(variables).problems]


def _meant(name: str, known: list[str]) -> str:
    import difflib  # for a typing error only

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
    return f", perhaps {close[0]}" if close else ""
