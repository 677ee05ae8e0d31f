"""The least that a Flask app can do with a POST: read the body, answer 200. Its address passes nginx."""

from flask import Flask, Response, request


def app() -> Flask:
    app = Flask("noop")

    @app.post("/webhooks/noop")
    def noop() -> Response:
        request.get_data()
        return Response(status=200)

    return app
