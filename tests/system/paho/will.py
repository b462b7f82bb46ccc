"""Wills of a client that tears its connection and of one that says goodbye."""

from peer import Peer, arguments, report

given = arguments()
watcher = Peer(given, f"paho-w-{given.version}").connect()
watcher.subscribe(f"{given.topic}/#", 2)


def mortal(name):
    will = {"topic": f"{given.topic}/{name}", "payload": "gone", "qos": 2, "retain": True}
    return Peer(given, f"paho-{name}-{given.version}", will=will).connect()


mortal("polite").disconnect()
mortal("torn").tear()
watcher.wait_for(1)
late = Peer(given, f"paho-l-{given.version}").connect()
late.subscribe(f"{given.topic}/#", 1)
late.wait_for(1)
report(
    [
        [[message.topic, message.payload.decode(), message.qos, bool(message.retain)] for message in peer.messages]
        for peer in (watcher, late)
    ]
)
watcher.disconnect()
late.disconnect()
