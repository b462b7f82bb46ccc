"""A session that is left, by a goodbye and by a torn connection, and taken up again."""

from peer import Peer, arguments, report

given = arguments()
publisher = Peer(given, f"paho-p-{given.version}").connect()
session = {"client_id": f"paho-d-{given.version}", "clean": False, "expiry_s": 60}

first = Peer(given, **session).connect()
first.subscribe(given.topic, 2)
publisher.publish_all(given.topic, ["while there"], 1)
first.wait_for(1)
first.disconnect()

publisher.publish_all(given.topic, [f"missed {index}" for index in range(50)], 2)
second = Peer(given, **session).connect()
second.wait_for(50)
second.tear()

publisher.publish_all(given.topic, [f"missed {index}" for index in range(50, 100)], 1)
third = Peer(given, **session).connect()
third.wait_for(50)
third.disconnect()

anew = Peer(given, **{**session, "clean": True, "expiry_s": 0}).connect()
report(
    {
        "present": [bool(peer.present) for peer in (first, second, third, anew)],
        "received": [
            [message.payload.decode() for message in peer.messages] for peer in (first, second, third, anew)
        ],
    }
)
anew.disconnect()
publisher.disconnect()
