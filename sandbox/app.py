"""Puts the doors of the sandbox into one Flask application. Reads no environment, starts nothing."""

from flask import Flask, Response, jsonify

from sandbox.cm import CmDoor
from sandbox.control import ControlDoor
from sandbox.delivery import Delivery
from sandbox.media import MediaDoor
from sandbox.meta import MetaDoor
from sandbox.template_door import TemplateDoor
from sandbox.world import World


def create_sandbox(world: World, delivery: Delivery) -> Flask:
    """`delivery` must be started by the caller, in the process that serves."""
    flask = Flask(__name__, static_folder=None)
    meta = (MetaDoor(world, delivery), TemplateDoor(world))
    doors = (*meta, CmDoor(world, delivery), MediaDoor(world))
    for door in (*doors, ControlDoor(world, delivery)):
        flask.register_blueprint(door.blueprint())
    flask.add_url_rule("/livez", view_func=_livez)
    return flask


def _livez() -> Response:
    return jsonify(ok=True)
