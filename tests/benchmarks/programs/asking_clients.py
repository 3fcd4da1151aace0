"""Clients that ask for a small page, each over one connection that is kept."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager

import answering_sockets

ADDRESS = answering_sockets.install() + "/orders/7?token=x&page=3"


@contextmanager
def requests_client(agent):
    import requests

    with requests.Session() as session:

        def call(address):
            answer = session.get(address)
            assert answer.content
            assert answer.status_code == 200

        yield call, lambda: ADDRESS


@contextmanager
def httpx_client(agent):
    import httpx

    with httpx.Client() as client:

        def call(address):
            answer = client.get(address)
            assert answer.content
            assert answer.status_code == 200

        yield call, lambda: ADDRESS


@asynccontextmanager
async def aiohttp_client(agent):
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def call(address):
            async with session.get(address) as answer:
                assert await answer.read()
                assert answer.status == 200

        yield call, lambda: ADDRESS
