"""The options of `remora run` set environment variables, and say so when they cannot."""

from __future__ import annotations

import sys

import pytest

OPTIONS = {
    ("--service-name", "shop"): "OTEL_SERVICE_NAME=shop",
    ("--service-name=shop",): "OTEL_SERVICE_NAME=shop",
    ("--endpoint", "http://collector:4318"): "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
    ("--exporter", "console"): "OTEL_TRACES_EXPORTER=console",
    ("--disable", "flask,sql*"): "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=flask,sql*",
    ("--disable", "flask", "--disable", "redis"): "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=flask,redis",
    ("--set", "REMORA_QUEUE_MAX_BYTES=1000000"): "REMORA_QUEUE_MAX_BYTES=1000000",
    ("--set", "OTEL_BSP_SCHEDULE_DELAY=100", "--set", "A=b=c"): "A=b=c",
    ("--set", "OTEL_PYTHON_FLASK_EXCLUDED_URLS=health"): "OTEL_PYTHON_FLASK_EXCLUDED_URLS=health",
}


@pytest.mark.parametrize(("options", "assignment"), OPTIONS.items(), ids=" ".join)
def test_an_option_sets_its_variable(agent, options, assignment):
    assert assignment in agent.run(*options, "env").stdout.splitlines()


@pytest.mark.parametrize("exporter", ["otlp", "store", "console", "none"])
def test_an_exporter_is_for_traces_and_for_metrics(agent, exporter):
    said = agent.run("--exporter", exporter, "env").stdout.splitlines()
    assert f"OTEL_TRACES_EXPORTER={exporter}" in said
    assert f"OTEL_METRICS_EXPORTER={exporter}" in said


def test_options_go_before_what_the_environment_says_and_disable_adds_to_it(agent):
    env = {"OTEL_SERVICE_NAME": "old", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask"}
    said = agent.run("--service-name", "new", "--disable", "redis", "env", env=env).stdout.splitlines()
    assert "OTEL_SERVICE_NAME=new" in said
    assert "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=flask,redis" in said


WRONG = {
    (): "which command? For example: remora run python app.py",
    ("--service-name", "shop"): "which command?",
    ("--nonsense", "env"): "--nonsense",
    ("--exporter", "jaeger", "env"): "jaeger",
    ("--set", "NOVALUE", "env"): "write it as VARIABLE=VALUE",
    ("--set", "REMORA_QUEUE_MAX_BYTE=1", "env"): "perhaps REMORA_QUEUE_MAX_BYTES",
    ("--set", "OTEL_SERVICE_NAM=shop", "env"): "perhaps OTEL_SERVICE_NAME",
    ("--set", "OTEL_BSP_SCHEDULE_DELAY=soon", "env"): "OTEL_BSP_SCHEDULE_DELAY",
    ("--endpoint", "no url", "env"): "OTEL_EXPORTER_OTLP_ENDPOINT",
    ("--print-env", "docker"): "--print-env=docker",
}


@pytest.mark.parametrize(("words", "said"), WRONG.items(), ids=[" ".join(words) or "nothing" for words in WRONG])
def test_wrong_usage_is_told_and_nothing_is_run(agent, words, said):
    ended = agent.run(*words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_help_shows_every_option_and_examples(agent):
    ended = agent.run("--help")
    assert ended.exit_code == 0
    for words in ("--service-name", "--endpoint", "--exporter", "--disable", "--set", "--print-env", "gunicorn"):
        assert words in ended.stdout


def test_a_command_keeps_its_own_help(agent):
    assert "usage: remora run" not in agent.run(sys.executable, "--help").stdout


def test_printed_for_a_shell_the_environment_instruments_what_the_shell_starts(agent):
    start = f'eval "$({sys.executable} -m remora run --service-name "a b" --print-env)"; {sys.executable} -c "{SAYS}"'
    ended = agent.bare("sh", "-c", start)
    assert ended.stdout == "a b\n"
    assert len(agent.starts()) == 1


def test_printed_for_a_dockerfile_or_an_env_file_it_is_in_their_form(agent):
    docker = agent.run("--set", 'A=say "$x"', "--print-env=docker").stdout.splitlines()
    assert docker[0].startswith('ENV PYTHONPATH="/')
    assert docker[0].endswith('/onpath${PYTHONPATH:+:$PYTHONPATH}"')
    assert docker[-1] == 'ENV A="say \\"\\$x\\""'
    assert "A=b c" in agent.run("--set", "A=b c", "--print-env=plain").stdout.splitlines()


SAYS = "import os; print(os.environ['OTEL_SERVICE_NAME'])"
