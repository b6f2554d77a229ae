"""The lab's HTTP server, where clients differ from each other or misbehave."""

import asyncio

from opsconsole.lab.http import MAX_BODY_BYTES, Request, Response, Routes, listen, reply


async def echo(request: Request) -> Response:
    return reply({"body": request.body.decode(), **request.query, **request.parameters})


async def fail(request: Request) -> Response:
    raise RuntimeError("broken on purpose")


async def say(text: str) -> str:
    """Send this to a server that echoes, and give back all that it answers until it hangs up."""
    routes = Routes()
    routes.add("POST", "/echo/{name}", echo)
    routes.add("GET", "/fail", fail)
    server = await listen(routes, 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(text.encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    server.close()
    return answer.decode()


async def test_two_requests_share_a_connection() -> None:
    first = "POST /echo/a%2Fb?x=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\none"
    second = "POST /echo/c HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo"
    answer = await say(first + second)
    assert '{"body": "one", "x": "1", "name": "a/b"}' in answer
    assert '{"body": "two", "name": "c"}' in answer


async def test_a_body_may_come_in_chunks() -> None:
    head = "POST /echo/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert '"body": "hello"' in await say(head + "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")


async def test_an_unknown_path_is_404_and_a_wrong_method_405() -> None:
    assert (await say("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n")).startswith("HTTP/1.1 404 ")
    assert (await say("GET /echo/a HTTP/1.1\r\nConnection: close\r\n\r\n")).startswith("HTTP/1.1 405 ")


async def test_what_is_no_http_is_400_and_too_much_413() -> None:
    assert (await say("nonsense\r\n\r\n")).startswith("HTTP/1.1 400 ")
    much = f"POST /echo/a HTTP/1.1\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    assert (await say(much)).startswith("HTTP/1.1 413 ")


async def test_a_handler_that_breaks_is_500() -> None:
    assert (await say("GET /fail HTTP/1.1\r\nConnection: close\r\n\r\n")).startswith("HTTP/1.1 500 ")
