"""The service's name when nobody gave one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from remora.telemetry.service_name import guess


@pytest.mark.parametrize(
    ("argv", "main_file", "main_module", "name"),
    [
        (["python", "/srv/billing/invoice.py"], "/srv/billing/invoice.py", None, "invoice"),
        (["python", "/srv/billing/app.py"], "/srv/billing/app.py", None, "billing"),
        (["python", "/srv/billing/src/main.py"], "/srv/billing/src/main.py", None, "billing"),
        (["python", "manage.py", "runserver"], "/work/shop/manage.py", None, "shop"),
        (["python", "-m", "shop.web"], "/x/shop/web.py", "shop.web", "shop"),
        (["python", "-m", "shop"], "/x/shop/__main__.py", "shop.__main__", "shop"),
        (["gunicorn", "-w", "2", "shop.wsgi:app"], "/v/bin/gunicorn", None, "shop"),
        (["gunicorn", "-b", "127.0.0.1:8000", "-w", "2", "shop:create()"], "/v/bin/gunicorn", None, "shop"),
        (["python", "/v/bin/gunicorn", "--bind=0.0.0.0:80", "billing.app:app"], "/v/bin/gunicorn", None, "billing"),
        (["uvicorn", "orders.main:app", "--port", "1"], "/v/bin/uvicorn", None, "orders"),
        (["python", "-m", "uvicorn", "orders:app"], "/v/uvicorn/__main__.py", "uvicorn.__main__", "orders"),
        (["celery", "-A", "jobs.tasks", "worker"], "/v/bin/celery", None, "jobs"),
        (["celery", "-Ajobs", "worker"], "/v/bin/celery", None, "jobs"),
        (["celery", "--app=jobs.tasks:app", "worker"], "/v/bin/celery", None, "jobs"),
        (["flask", "--app", "store", "run"], "/v/bin/flask", None, "store"),
        (["celery", "worker"], "/v/bin/celery", None, "celery"),
        (["my-service"], "/v/bin/my-service", None, "my-service"),
        (["python", "-c", "pass"], None, None, None),
    ],
)
def test_the_name_says_what_was_started(argv, main_file, main_module, name):
    assert guess(argv, main_file, main_module) == name


def test_a_program_without_a_name_is_unknown_by_the_conventions_fallback():
    code = "from remora.telemetry.service_name import of_this_process as name; print(name())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("unknown_service:python")
