"""peewee: no plugin of its own; the driver reports, one span for each query."""

from __future__ import annotations

import peewee
import pytest


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request, tmp_path):
    if request.param == "sqlite":
        made = peewee.SqliteDatabase(tmp_path / "shop.db")
    elif request.param == "postgresql":
        where = request.getfixturevalue("postgres").keywords("database")
        made = peewee.PostgresqlDatabase(**where)
    else:
        where = request.getfixturevalue("mariadb").keywords("database")
        made = peewee.MySQLDatabase(**where)
    yield made
    made.close()


def test_each_query_is_one_span(spans, database):
    class Good(peewee.Model):
        name = peewee.CharField(max_length=40)

        class Meta:
            table_name = "goods"

    with database.bind_ctx([Good]):
        database.create_tables([Good])
        spans.clear()
        Good.create(name="hunter2")
        with database.atomic():
            Good.insert_many([{"name": "a"}, {"name": "b"}]).execute()
        assert Good.select().where(Good.name == "hunter2").count() == 1
        assert [good.name for good in Good.select().order_by(Good.name)] == ["a", "b", "hunter2"]
        Good.update(name="c").where(Good.name == "a").execute()
    told = spans.of_kind("CLIENT")
    assert [span.name.replace('"', "").replace("`", "") for span in told] == [
        "INSERT goods",
        "BEGIN",
        "INSERT goods",
        "COMMIT",
        "SELECT SELECT goods",
        "SELECT goods",
        "UPDATE goods",
    ]
    assert "hunter2" not in repr([span.attributes for span in told])
