"""Runs LocalStack 4.14 for its Step Functions until it is told to stop, or until whoever started it is gone.

Two things are put right. LocalStack evaluates JSONata in a Java 21 that it downloads from GitHub: the Python port of
the same library does it here, without a download. And it listens on every interface, whatever GATEWAY_LISTEN says.
"""

from __future__ import annotations

from typing import Any

from starter import end_with_starter


def evaluate(expression: str) -> Any:
    from jsonata import Jsonata
    from localstack.services.stepfunctions.asl.jsonata.jsonata import JSONataException

    try:
        return Jsonata(expression).evaluate(None)
    except Exception as error:  # Whatever is wrong with an expression fails the state, as on AWS.
        raise JSONataException(str(getattr(error, "error", "UNKNOWN")), str(error)) from error


def jsonata_without_java() -> None:
    from localstack.services.stepfunctions.asl.jsonata import jsonata

    jsonata._eval_jsonata = evaluate


def listen_on_loopback() -> None:
    from twisted.internet import endpoints

    plain = endpoints.TCP4ServerEndpoint

    def loopback(reactor: Any, port: int, backlog: int = 50, interface: str = "127.0.0.1") -> Any:
        return plain(reactor, port, backlog, interface)

    endpoints.TCP4ServerEndpoint = loopback


def main() -> None:
    end_with_starter()
    jsonata_without_java()
    listen_on_loopback()
    from localstack.runtime.main import main as serve

    serve()


if __name__ == "__main__":
    main()
