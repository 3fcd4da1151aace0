"""A Django application, called as WSGI servers do."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO

from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path


def orders(request, number):
    return JsonResponse({"number": number, "page": request.GET["page"]})


urlpatterns = [path("orders/<int:number>", orders)]

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/orders/7",
    "QUERY_STRING": "token=x&page=3",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "50000",
    "HTTP_HOST": "shop.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)",
    "HTTP_ACCEPT": "*/*",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


@contextmanager
def django(agent):
    application = get_wsgi_application()

    def call(environ):
        status = []
        body = application(environ, lambda line, headers, exc_info=None: status.append(line))
        try:
            for _ in body:
                pass
        finally:
            body.close()
        assert status == ["200 OK"], status

    yield call, lambda: {**ENVIRON, "wsgi.input": BytesIO(), "wsgi.errors": BytesIO()}
