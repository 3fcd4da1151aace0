"""SQLAlchemy: no plugin of its own; the driver underneath reports, once, whatever SQLAlchemy makes of a query."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy
from opentelemetry import trace
from sqlalchemy import ForeignKey, create_engine, event, func, insert, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(40), unique=True)
    goods: Mapped[list[Good]] = relationship(back_populates="shop")


class Good(Base):
    __tablename__ = "goods"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(40))
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))
    shop: Mapped[Shop] = relationship(back_populates="goods")


SYNC = [
    "sqlite+pysqlite",
    "postgresql+psycopg",
    "postgresql+psycopg2",
    "postgresql+pg8000",
    "mysql+pymysql",
    "mysql+mysqldb",
    "mysql+mysqlconnector",
]
ASYNC = ["sqlite+aiosqlite", "postgresql+psycopg", "postgresql+asyncpg", "mysql+aiomysql", "mysql+asyncmy"]


@pytest.fixture
def url_of(request, tmp_path):
    def url(dialect):
        if dialect.startswith("sqlite"):
            return f"{dialect}:///{tmp_path}/shop.db"
        database = request.getfixturevalue("postgres" if dialect.startswith("postgresql") else "mariadb")
        return f"{dialect}://{database.user}@{database.host}:{database.port}/{database.name}"

    return url


def sent(engine):
    """What SQLAlchemy itself says that it hands to the driver."""
    texts = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection, cursor, statement, parameters, context, executemany):
        texts.append(statement)

    return texts


def texts_of(spans):
    return [span.attributes["db.query.text"] for span in spans.of_kind("CLIENT")]


@pytest.mark.parametrize("dialect", SYNC)
def test_the_orm_is_one_span_for_each_query_with_the_text_the_driver_gets(spans, url_of, dialect):
    if dialect == "mysql+mysqldb":
        pytest.importorskip("MySQLdb")
    engine = create_engine(url_of(dialect))
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        statements = sent(engine)
        spans.clear()
    with Session(engine) as session:
        session.add(Shop(id=1, name="corner", goods=[Good(id=1, name="hunter2")]))
        session.commit()
        shop = session.scalars(select(Shop).options(selectinload(Shop.goods)).where(Shop.name == "corner")).one()
        assert [good.name for good in shop.goods] == ["hunter2"]
        session.execute(insert(Good), [{"id": 2, "name": "b", "shop_id": 1}, {"id": 3, "name": "c", "shop_id": 1}])
        assert session.scalar(select(func.count()).select_from(Good)) == 3
        session.rollback()
    engine.dispose()
    assert texts_of(spans) == statements
    assert [span.attributes["db.query.summary"].removeprefix("BATCH ") for span in spans][:2] == [
        "INSERT shops",
        "INSERT goods",
    ]
    assert "hunter2" not in repr([span.attributes for span in spans])


@pytest.mark.parametrize("dialect", ASYNC)
def test_an_async_engine_is_one_span_for_each_query_too(spans, url_of, dialect):
    async def main():
        engine = create_async_engine(url_of(dialect))
        statements = sent(engine.sync_engine)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        statements.clear()
        spans.clear()
        with trace.get_tracer("test").start_as_current_span("around"):
            async with async_sessionmaker(engine)() as session:
                session.add(Shop(id=1, name="corner", goods=[Good(id=1, name="hunter2")]))
                await session.commit()
                found = await session.scalars(select(Good).where(Good.name == "hunter2"))
                assert [good.id for good in found] == [1]
                stream = await session.stream(select(Good))
                assert len([row async for row in stream]) == 1
        await engine.dispose()
        return statements

    statements = asyncio.run(main())
    (around,) = spans.named("around")
    children = [span for span in spans.children_of(around) if span.kind == "CLIENT"]
    assert [span.attributes["db.query.text"] for span in children] == statements
    assert texts_of(spans) == statements
    assert len(statements) == 4
    assert "hunter2" not in repr([span.attributes for span in spans])


def test_many_engines_made_before_and_after_each_other_are_traced_alike(spans):
    engines = [create_engine("sqlite://", poolclass=StaticPool) for _ in range(3)]
    for engine in engines:
        with engine.connect() as connection:
            spans.clear()
            assert connection.execute(text("SELECT 40 + :two"), {"two": 2}).scalar() == 42
            assert texts_of(spans) == ["SELECT 40 + ?"]


def test_a_failure_is_told_by_the_driver_and_says_nothing_of_the_data(spans, url_of):
    engine = create_engine(url_of("postgresql+psycopg"))
    Base.metadata.create_all(engine)
    spans.clear()
    with Session(engine) as session:
        session.add_all([Shop(id=1, name="hunter2"), Shop(id=2, name="hunter2")])
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            session.commit()
    engine.dispose()
    (span,) = spans.of_kind("CLIENT")
    assert span.attributes["db.response.status_code"] == "23505"
    assert "hunter2" not in repr((span.attributes, span.status_description, span.events))
