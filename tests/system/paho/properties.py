"""MQTT 5: what becomes of the properties of a message, and of subscription options."""

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from peer import Peer, arguments, report

given = arguments()
publisher = Peer(given, "paho-properties-out").connect()
subscriber = Peer(given, "paho-properties-in").connect()
for identifier, (topic, qos) in enumerate([(f"{given.topic}/+", 1), (f"{given.topic}/#", 2)], start=1):
    wanted = Properties(PacketTypes.SUBSCRIBE)
    wanted.SubscriptionIdentifier = identifier
    subscriber.subscribe(topic, qos, options={"retainAsPublished": True}, properties=wanted)
publisher.subscribe(f"{given.topic}/#", 1, options={"noLocal": True})

sent = Properties(PacketTypes.PUBLISH)
sent.PayloadFormatIndicator = 1
sent.ContentType = "text/plain; charset=utf-8"
sent.ResponseTopic = "answers/ü"
sent.CorrelationData = bytes(range(256))
sent.MessageExpiryInterval = 100
sent.UserProperty = [("site", "north"), ("floor", "2"), ("café", "été")]
publisher.publish_all(f"{given.topic}/a", ["grüße"], 2, retain=True, properties=sent)
subscriber.wait_for(1)
echo = Peer(given, "paho-echo").connect()
echo.publish_all(f"{given.topic}/b", ["by another"], 1)
publisher.wait_for(1)
subscriber.wait_for(2)

message = subscriber.messages[0]
got = message.properties
report(
    {
        "topic": message.topic,
        "payload": message.payload.decode(),
        "qos": message.qos,
        "retain": bool(message.retain),
        "payloadFormatIndicator": got.PayloadFormatIndicator,
        "contentType": got.ContentType,
        "responseTopic": got.ResponseTopic,
        "correlationData": got.CorrelationData.hex(),
        "messageExpiryInterval": got.MessageExpiryInterval,
        "userProperties": got.UserProperty,
        "subscriptionIdentifiers": sorted(got.SubscriptionIdentifier),
        "heardByPublisher": [message.topic for message in publisher.messages],
    }
)
for peer in (publisher, subscriber, echo):
    peer.disconnect()
