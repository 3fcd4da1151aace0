"""Django, with the REST framework's routers"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from types import ModuleType
from wsgiref.simple_server import make_server

import django
import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.test_wsgiref import Quiet, Server
from plugins.http.threaded import serving, serving_asgi
from support.processes import output, run, running, wait_until
from support.receiver import Receiver

tracer = trace.get_tracer("contract")

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", f"{__name__}.broken_for_some"],
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
        ROOT_URLCONF="urls_of_the_contract",
        SECRET_KEY="test",
    )
    django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.exceptions import PermissionDenied  # noqa: E402 - these read the settings
from django.core.handlers.asgi import ASGIRequest  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, StreamingHttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path, re_path  # noqa: E402
from django.views import View  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.routers import DefaultRouter  # noqa: E402
from rest_framework.viewsets import ViewSet  # noqa: E402


def broken_for_some(get_response):
    def middleware(request):
        if request.path == "/broken-middleware":
            raise LookupError("password=hunter2")
        return get_response(request)

    return middleware


def boom(request):
    raise RuntimeError("password=hunter2")


def child(request):
    with tracer.start_as_current_span("inside"):
        return HttpResponse("ok")


def forbidden(request):
    raise PermissionDenied


def stream(request):
    def chunks():
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                time.sleep(0.01)
            yield "chunk"

    async def chunks_async():
        for chunk in chunks():
            yield chunk

    return StreamingHttpResponse(
        chunks_async() if isinstance(request, ASGIRequest) and django.VERSION >= (4, 2) else chunks()
    )


async def coroutine(request):
    with tracer.start_as_current_span("inside"):
        return HttpResponse("ok")


class Only(View):
    def get(self, request, number):
        return HttpResponse(str(number))


class Carts(ViewSet):
    def list(self, request):
        return Response([])

    def retrieve(self, request, pk):
        return Response({"pk": pk})


carts = DefaultRouter()
carts.register("carts", Carts, basename="cart")

urls = ModuleType("urls_of_the_contract")
urls.urlpatterns = [
    path("", lambda request: HttpResponse("ok")),
    path("items/<int:number>", Only.as_view()),
    path("status/<int:number>", lambda request, number: HttpResponse(status=number)),
    path("boom", boom),
    path("child", child),
    path("coroutine", coroutine),
    path("forbidden", forbidden),
    path("stream", stream),
    path("shops/<slug:shop>/", include([path("items/<int:number>", Only.as_view())])),
    path("archive/", include([re_path(r"^(?P<year>[0-9]{4}|(new|old))/(?P<number>[^/.()]+)\.html$", boom)])),
    re_path(r"^years/([^/]+)/(\d+)/$", lambda request, *_: HttpResponse("ok")),
    path("api/", include(carts.urls)),
    path("broken-middleware", boom),
]
sys.modules[urls.__name__] = urls


class DjangoContract(HttpServerContract):
    @pytest.mark.parametrize(
        ("asked", "route"),
        [
            ("/", "/"),
            ("/items/7", "/items/<int:number>"),
            ("/shops/north/items/7", "/shops/<slug:shop>/items/<int:number>"),
            ("/archive/2024/a.html", "/archive/<year>/<number>.html"),
            ("/years/1999/12/", "/years/<var>/<var>/"),
            ("/api/carts/", "/api/carts/"),
            ("/api/carts.json", "/api/carts.<format>/?"),
            ("/api/carts/8/", "/api/carts/<pk>/"),
        ],
    )
    def test_the_route_is_the_whole_template_through_every_include(self, spans, port, asked, route):
        self.ask(port, asked)
        span = self.only(spans)
        assert (span.name, span.attributes["http.route"]) == (f"GET {route}", route)

    @pytest.mark.parametrize("asked", ["/items/7", "/api/carts/8/"])
    def test_a_method_that_is_not_allowed_is_no_error_and_has_the_route(self, spans, port, asked):
        assert self.ask(port, asked, method="DELETE")[0] == 405
        span = self.only(spans)
        assert span.name.startswith("DELETE /")
        assert span.status == "UNSET"

    def test_what_a_view_forbids_is_no_error(self, spans, port):
        assert self.ask(port, "/forbidden")[0] == 403
        span = self.only(spans)
        assert (span.status, span.events) == ("UNSET", [])

    def test_an_exception_of_a_middleware_is_reported_once(self, spans, port):
        assert self.ask(port, "/broken-middleware")[0] == 500
        span = self.only(spans)
        assert [event.attributes["exception.type"] for event in span.events] == ["LookupError"]
        assert "hunter2" not in repr(span.events)
        assert "http.route" not in span.attributes


class TestDjango(DjangoContract):
    def serving(self):
        return serving(get_wsgi_application())


class TestDjangoAsgi(DjangoContract):
    def serving(self):
        return serving_asgi(get_asgi_application())

    def test_what_a_coroutine_view_does_is_inside(self, spans, port):
        self.ask(port, "/coroutine")
        span = self.only(spans)
        assert [child.name for child in spans.children_of(span)] == ["inside"]


def test_the_reference_server_of_runserver_makes_no_second_span(spans):
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    HttpServerContract.ask(server.server_port, "/items/7")
    server.shutdown()
    thread.join()
    server.server_close()
    assert HttpServerContract.only(spans).name == "GET /items/<int:number>"


def test_any_asgi_server_will_do(spans):
    async def answered():
        scope = {"type": "http", "method": "GET", "path": "/items/3", "headers": [], "query_string": b""}
        server = ApplicationCommunicator(get_asgi_application(), scope)
        await server.send_input({"type": "http.request"})
        first = await server.receive_output()
        await server.receive_output()
        await server.wait()
        return first["status"]

    assert asyncio.run(answered()) == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /items/<int:number>"


def test_the_test_client_is_traced_alike(spans):
    assert Client().get("/items/3?sig=hunter2").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /items/<int:number>"
    assert span.attributes["http.response.status_code"] == 200
    assert "hunter2" not in repr(span.attributes)


def test_the_root_that_the_application_is_served_under_is_part_of_the_route(spans):
    assert Client(SCRIPT_NAME="/shop").get("/items/3").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.attributes["url.path"] == "/shop/items/3"
    assert span.name == "GET /shop/items/<int:number>"


def test_a_root_that_anybody_can_send_is_no_part_of_the_route(spans):
    assert Client(SCRIPT_NAME="/made-up").get("/items/3", HTTP_SCRIPT_NAME="/made-up").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /items/<int:number>"


def test_the_test_client_raises_what_the_view_raised_and_it_is_reported_once(spans):
    with pytest.raises(RuntimeError):
        Client().get("/boom")
    (span,) = spans.of_kind("SERVER")
    assert [event.attributes["exception.type"] for event in span.events] == ["RuntimeError"]


PROJECT = """
import os, sys
os.environ.pop("DJANGO_SETTINGS_MODULE", None)
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    from django.conf import settings
    print("configured:", settings.configured, flush=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop_settings"
    execute_from_command_line(sys.argv)
"""
SETTINGS = """
SECRET_KEY, DEBUG, ALLOWED_HOSTS, ROOT_URLCONF = "x", True, ["*"], "shop_urls"
DATABASES = {}
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "static/"
WSGI_APPLICATION = "shop_wsgi.application"
"""
URLS = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("cups/<int:number>", lambda request, number: HttpResponse("a cup"))]
"""
WSGI = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_settings")
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.handlers.asgi import ASGIRequest  # noqa: E402
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


@pytest.fixture
def project(tmp_path):
    for name, text in {"manage": PROJECT, "shop_settings": SETTINGS, "shop_urls": URLS, "shop_wsgi": WSGI}.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


def test_without_a_settings_module_in_the_environment_nothing_reads_settings_early(project):
    finished = run([sys.executable, "manage.py", "check"], cwd=project, env={"OTEL_TRACES_EXPORTER": "none"})
    assert finished.exit_code == 0, finished.stderr
    assert finished.stdout.startswith("configured: False")
    assert finished.lines_of_ours == []


def test_a_project_under_runserver_is_traced_with_its_reloader(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {"PYTHONUNBUFFERED": "1", "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def answered():
        try:
            return HttpServerContract.ask(port, "/cups/7") == (200, b"a cup")
        except OSError:
            return False

    with Receiver() as receiver:
        env["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        with running([sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"], cwd=project, env=env) as server:
            wait_until("the server answers", answered, within_s=30)
            wait_until("the span arrives", lambda: receiver.spans(), within_s=15)
            assert "Traceback" not in output(server)
        (span,) = [span for span in receiver.spans() if span["kind"] == "server"]
    assert span["name"] == "GET /cups/<int:number>"
