"""A paho client that notes what it is sent, and waits for things with a limit. What the scripts here share."""

import argparse
import json
import socket
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5": mqtt.MQTTv5}
LIMIT_S = 60


def arguments():
    """--port, --version, --transport and --topic, which is the script's own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", choices=VERSIONS, required=True)
    parser.add_argument("--transport", choices=["tcp", "websockets"], default="tcp")
    parser.add_argument("--topic", required=True)
    return parser.parse_args()


def report(result):
    print(json.dumps(result))


class Peer:
    """One client; `messages` are those it was sent."""

    def __init__(self, given, client_id, clean=True, inflight=20, will=None, expiry_s=0):
        self.given = given
        self.v5 = given.version == "5"
        self.messages = []
        self.present = None
        self.refused = None
        self.clean = clean
        self.expiry_s = expiry_s
        self.changed = threading.Condition()
        self.answered = set()
        self.connected = False
        self.client = mqtt.Client(
            client_id=client_id,
            clean_session=None if self.v5 else clean,
            protocol=VERSIONS[given.version],
            transport=given.transport,
            reconnect_on_failure=False,
        )
        if given.transport == "websockets":
            self.client.ws_set_options(path="/mqtt")
        self.client.max_inflight_messages_set(inflight)
        if will is not None:
            self.client.will_set(**will)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_answer
        self.client.on_unsubscribe = self._on_answer

    def connect(self):
        more = {}
        if self.v5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = self.expiry_s
            more = {"clean_start": self.clean, "properties": properties}
        self.client.connect("127.0.0.1", self.given.port, keepalive=30, **more)
        self.client.loop_start()
        self.wait(lambda: self.connected or self.refused is not None, "CONNACK")
        if self.refused is not None:
            raise SystemExit(f"refused: {self.refused}")
        return self

    def subscribe(self, topic, qos, options=None, properties=None):
        if options is None:
            _, mid = self.client.subscribe(topic, qos)
        else:
            _, mid = self.client.subscribe(topic, options=SubscribeOptions(qos=qos, **options), properties=properties)
        self.wait(lambda: mid in self.answered, "SUBACK")

    def unsubscribe(self, topic):
        _, mid = self.client.unsubscribe(topic)
        self.wait(lambda: mid in self.answered, "UNSUBACK")

    def publish_all(self, topic, payloads, qos, **more):
        """Publishes without waiting in between; returns when all are acknowledged."""
        pending = [self.client.publish(topic, payload, qos=qos, **more) for payload in payloads]
        for each in pending:
            each.wait_for_publish(LIMIT_S)
            if not each.is_published():
                raise SystemExit("a publish was not acknowledged")

    def wait_for(self, count):
        self.wait(lambda: len(self.messages) >= count, f"{count} messages")

    def disconnect(self):
        self.client.disconnect()
        self.wait(lambda: not self.connected, "the end of the connection")
        self.client.loop_stop()

    def tear(self):
        """Ends the connection without a goodbye."""
        opened = self.client.socket()
        getattr(opened, "_socket", opened).shutdown(socket.SHUT_RDWR)  # a WebSocket's is inside
        self.wait(lambda: not self.connected, "the end of the connection")
        self.client.loop_stop()

    def wait(self, condition, what):
        with self.changed:
            if not self.changed.wait_for(condition, LIMIT_S):
                raise SystemExit(f"waited in vain for {what}; {len(self.messages)} messages came")

    def _note(self, change):
        with self.changed:
            change()
            self.changed.notify_all()

    def _on_connect(self, _client, _data, flags, code, *_properties):
        def change():
            self.connected = code == 0
            self.present = flags["session present"]
            self.refused = None if code == 0 else str(code)

        self._note(change)

    def _on_disconnect(self, *_given):
        self._note(lambda: setattr(self, "connected", False))

    def _on_message(self, _client, _data, message):
        self._note(lambda: self.messages.append(message))

    def _on_answer(self, _client, _data, mid, *_codes):
        self._note(lambda: self.answered.add(mid))
