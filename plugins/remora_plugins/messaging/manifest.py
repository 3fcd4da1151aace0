"""Messaging: brokers' clients and task queues."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl

_PATCHES = "remora_plugins.messaging"


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "aio-pika",
            supports=("aio-pika>=9,<11",),
            hooks={
                "aio_pika.exchange": f"{_PATCHES}.aio_pika:patch_exchange",
                "aio_pika.message": f"{_PATCHES}.aio_pika:patch_message",
                "aio_pika.queue": f"{_PATCHES}.aio_pika:patch_queue",
                "aio_pika.robust_queue": f"{_PATCHES}.aio_pika:patch_robust_queue",
                "aiormq.channel": f"{_PATCHES}.aio_pika:patch_channel",
            },
            convention="messaging",
        ),
        Instrumentation(
            "celery",
            supports=("celery>=5.2,<6",),
            hooks={
                "celery.app.trace": f"{_PATCHES}.celery:patch_build_tracer",
                "celery.worker.consumer.consumer": f"{_PATCHES}.celery:patch_build_tracer",
                "celery.app.task": f"{_PATCHES}.celery:patch_task",
            },
            convention="messaging",
        ),
        Instrumentation(
            "kombu",
            supports=("kombu>=5.2,<6",),
            hooks={
                "kombu.messaging": f"{_PATCHES}.kombu:patch_messaging",
                "kombu.message": f"{_PATCHES}.kombu:patch_message",
                "kombu.entity": f"{_PATCHES}.kombu:patch_entity",
                "kombu.simple": f"{_PATCHES}.kombu:patch_simple",
            },
            convention="messaging",
        ),
        Instrumentation(
            "pika",
            supports=("pika>=1.0,<2",),
            hooks={
                "pika.channel": f"{_PATCHES}.pika:patch_channel",
                "pika.adapters.blocking_connection": f"{_PATCHES}.pika:patch_blocking",
            },
            convention="messaging",
        ),
        Instrumentation(
            "confluent-kafka",
            supports=("confluent-kafka>=2.0.2,<3",),
            hooks={
                "confluent_kafka": f"{_PATCHES}.confluent_kafka:patch",
                "confluent_kafka.aio": f"{_PATCHES}.confluent_kafka:patch_asyncio",
                "confluent_kafka.experimental.aio": f"{_PATCHES}.confluent_kafka:patch_asyncio",
            },
            convention="messaging",
        ),
        Instrumentation(
            "kafka-python",
            supports=("kafka-python>=2.0.2,<4",),
            hooks={
                "kafka.producer.kafka": f"{_PATCHES}.kafka_python:patch_producer",
                "kafka.consumer.group": f"{_PATCHES}.kafka_python:patch_consumer",
            },
            convention="messaging",
        ),
        Instrumentation(
            "aiokafka",
            supports=("aiokafka>=0.8,<1",),
            hooks={
                "aiokafka.producer.producer": f"{_PATCHES}.aiokafka:patch_producer",
                "aiokafka.consumer.consumer": f"{_PATCHES}.aiokafka:patch_consumer",
            },
            convention="messaging",
        ),
        Instrumentation(
            "rq",
            supports=("rq>=2.0,<4",),
            hooks={"rq.queue": f"{_PATCHES}.rq:patch_queue", "rq.job": f"{_PATCHES}.rq:patch_job"},
            convention="messaging",
        ),
        Instrumentation(
            "dramatiq",
            supports=("dramatiq>=1.14,<3",),
            hooks={
                "dramatiq.brokers.rabbitmq": f"{_PATCHES}.dramatiq:patch_rabbitmq",
                "dramatiq.brokers.redis": f"{_PATCHES}.dramatiq:patch_redis",
                "dramatiq.brokers.stub": f"{_PATCHES}.dramatiq:patch_stub",
                "dramatiq.worker": f"{_PATCHES}.dramatiq:patch_worker",
            },
            convention="messaging",
        ),
        Instrumentation(
            "arq",
            supports=("arq>=0.25,<1",),
            hooks={
                "arq.connections": f"{_PATCHES}.arq:patch_connections",
                "arq.worker": f"{_PATCHES}.arq:patch_worker",
            },
            convention="messaging",
        ),
        Instrumentation(
            "huey",
            supports=("huey>=2.4,<4",),
            hooks={
                "huey.api": f"{_PATCHES}.huey:patch_api",
                "huey.serializer": f"{_PATCHES}.huey:patch_serializer",
            },
            convention="messaging",
        ),
        Instrumentation(
            "taskiq",
            supports=("taskiq>=0.11.18,<1",),
            hooks={
                "taskiq.kicker": f"{_PATCHES}.taskiq:patch_kicker",
                "taskiq.receiver.receiver": f"{_PATCHES}.taskiq:patch_receiver",
                "taskiq.middlewares.simple_retry_middleware": f"{_PATCHES}.taskiq:patch_retries",
                "taskiq.middlewares.smart_retry_middleware": f"{_PATCHES}.taskiq:patch_retries",
            },
            convention="messaging",
        ),
        Instrumentation(
            "apscheduler",
            supports=("apscheduler>=3.9,<4",),
            hooks={
                "apscheduler.schedulers.base": f"{_PATCHES}.apscheduler:patch_scheduler",
                "apscheduler.executors.base": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.asyncio": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.debug": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.gevent": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.pool": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.tornado": f"{_PATCHES}.apscheduler:patch_executors",
                "apscheduler.executors.twisted": f"{_PATCHES}.apscheduler:patch_executors",
            },
            convention="messaging",
        ),
        Instrumentation(
            "nats-py",
            supports=("nats-py>=2.3,<3",),
            hooks={
                "nats.aio.client": f"{_PATCHES}.nats:patch_client",
                "nats.aio.subscription": f"{_PATCHES}.nats:patch_subscription",
                "nats.aio.msg": f"{_PATCHES}.nats:patch_message",
                "nats.js.client": f"{_PATCHES}.nats:patch_jetstream",
            },
            convention="messaging",
        ),
        Instrumentation(
            "paho-mqtt",
            supports=("paho-mqtt>=1.6,<3",),
            hooks={"paho.mqtt.client": f"{_PATCHES}.paho:patch"},
            convention="messaging",
            doc="MQTT 5 carries the context, 3.1.1 cannot",
        ),
        Instrumentation(
            "aiomqtt",
            supports=("aiomqtt>=2.3,<3",),
            hooks={"aiomqtt.client": f"{_PATCHES}.aiomqtt:patch"},
            convention="messaging",
        ),
    ]
