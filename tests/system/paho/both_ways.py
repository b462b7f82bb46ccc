"""500 messages at each QoS through the server and back; reports what came, by QoS and in order."""

from peer import Peer, arguments, report

COUNT = 500

given = arguments()
publisher = Peer(given, f"paho-out-{given.version}", inflight=100).connect()
subscriber = Peer(given, f"paho-in-{given.version}").connect()
subscriber.subscribe(f"{given.topic}/+", 2)
result = {}
for qos in (0, 1, 2):
    sofar = len(subscriber.messages)
    publisher.publish_all(f"{given.topic}/{qos}", [str(index) for index in range(COUNT)], qos)
    subscriber.wait_for(sofar + COUNT)
    result[qos] = [
        [message.topic, message.qos, int(message.payload)] for message in subscriber.messages[sofar:]
    ]
subscriber.unsubscribe(f"{given.topic}/+")
publisher.publish_all(f"{given.topic}/1", ["unheard"], 1)
subscriber.subscribe(f"{given.topic}/1", 1)
publisher.publish_all(f"{given.topic}/1", ["heard"], 1)
subscriber.wait_for(3 * COUNT + 1)
result["after unsubscribing"] = subscriber.messages[-1].payload.decode()
publisher.disconnect()
subscriber.disconnect()
report(result)
