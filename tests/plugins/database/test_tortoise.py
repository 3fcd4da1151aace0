"""tortoise-orm: no plugin of its own; the driver beneath reports, one span for each query."""

from __future__ import annotations

import asyncio

import pytest
from tortoise import Tortoise, fields
from tortoise.models import Model
from tortoise.transactions import in_transaction


class Good(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40)

    class Meta:
        table = "goods"


@pytest.fixture(params=["sqlite", "asyncpg", "mysql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/shop.db"
    if request.param == "asyncpg":
        where = request.getfixturevalue("postgres")
        return f"asyncpg://{where.user}@{where.host}:{where.port}/{where.name}"
    where = request.getfixturevalue("mariadb")
    return f"mysql://{where.user}:@{where.host}:{where.port}/{where.name}"


def test_each_query_is_one_span(spans, url):
    scheme = url.partition(":")[0]

    async def main():
        # A name for each: what the library has written for a table it keeps by the connection's.
        apps = {"models": {"models": [__name__], "default_connection": scheme}}
        await Tortoise.init(config={"connections": {scheme: url}, "apps": apps})
        try:
            await Tortoise.generate_schemas()
            spans.clear()
            await Good.create(name="hunter2")
            async with in_transaction():
                await Good.create(name="a")
            assert await Good.filter(name="hunter2").count() == 1
            assert [good.name for good in await Good.all().order_by("name")] == ["a", "hunter2"]
            await Good.filter(name="a").update(name="c")
        finally:
            await Tortoise.close_connections()

    asyncio.run(main())
    told = [span.name.replace('"', "").replace("`", "") for span in spans.of_kind("CLIENT")]
    assert [name for name in told if "goods" in name] == [
        "INSERT goods",
        "INSERT goods",
        "SELECT goods",
        "SELECT goods",
        "UPDATE goods",
    ]
    assert "hunter2" not in repr([span.attributes for span in spans])
