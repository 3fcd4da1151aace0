"""Django's ORM, of which sqlite3 reports every query. In a process of its own, for Django has one configuration."""

from __future__ import annotations

import json

import pytest

from support.processes import run_python

PROGRAM = """
import asyncio, json
from remora.testing import collect

with collect() as spans:
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"}},
        INSTALLED_APPS=[], USE_TZ=True, DEBUG=%(debug)s, LOGGING_CONFIG=None,
    )
    django.setup()
    from django.db import connection, models, transaction

    class Good(models.Model):
        name = models.CharField(max_length=40)

        class Meta:
            app_label = "shop"

    with connection.schema_editor() as editor:
        editor.create_model(Good)
    spans.clear()

    wrapped = []
    def note(execute, sql, params, many, context):
        wrapped.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        Good.objects.create(name="hunter2")
        with transaction.atomic():
            Good.objects.bulk_create([Good(name="a"), Good(name="b")])
        assert Good.objects.filter(name="hunter2").count() == 1
        assert [good.name for good in Good.objects.order_by("name").iterator()] == ["a", "b", "hunter2"]
        Good.objects.filter(name="a").update(name="c")
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE shop_good SET name = %%s WHERE id = %%s", [("d", 1), ("e", 2)])

    before = len(spans)

    async def ask():
        assert await Good.objects.acount() == 3
    asyncio.run(ask())
    told = spans.of_kind("CLIENT")
    assert "hunter2" not in repr([span.attributes for span in told])
    print(json.dumps([[span.name for span in told[:before]], [span.name for span in told[before:]], len(wrapped)]))
"""


@pytest.mark.parametrize("debug", [False, True])
def test_each_query_is_one_span_also_where_django_keeps_them(tmp_path, debug):
    result = run_python(PROGRAM % {"debug": debug}, cwd=tmp_path, launched=False)
    assert result.exit_code == 0, result.stderr
    names, asynchronous, wrapped = json.loads(result.stdout)
    assert [name.replace('"', "") for name in names] == [
        "INSERT shop_good",
        "BEGIN",
        "INSERT shop_good",
        "SELECT shop_good",
        "SELECT shop_good",
        "UPDATE shop_good",
        "UPDATE shop_good",
    ]
    assert asynchronous[-1] == 'SELECT "shop_good"'  # in a thread, whose connection begins with settings of its own
    assert asynchronous.count('SELECT "shop_good"') == 1
    assert wrapped == 7
