"""The engine Dramatiq, on Redis or on RabbitMQ."""

import logging
import threading
from typing import Any

import dramatiq
import pika.exceptions
import redis
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError

from crm.jobs.engines import carriers
from crm.jobs.engines.carriers import CONNECT_SECONDS, SILENCE_SECONDS, BrokerDown, Look, Place

ACTOR = "look"
POLL_MILLISECONDS = 250  # longest pause of an idle worker on Redis between two questions
# Its messages of each step of a failed connection are many; what went wrong is told once, by whoever asked.
logging.getLogger("pika").setLevel(logging.CRITICAL)
FAULTS = (BrokerConnectionError, redis.RedisError, pika.exceptions.AMQPError, OSError)


def _redis_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=SILENCE_SECONDS, socket_keepalive=True
    )


def _rabbitmq_parameters(url: str, heartbeat: int) -> pika.URLParameters:
    known = pika.URLParameters(url)
    known.heartbeat = heartbeat
    known.socket_timeout = known.stack_timeout = known.blocked_connection_timeout = CONNECT_SECONDS
    known.connection_attempts = 1
    # A host that vanished answers nothing at all: the system's own patience would be a quarter of an hour.
    known.tcp_options = {
        "TCP_USER_TIMEOUT": SILENCE_SECONDS * 1000, "TCP_KEEPIDLE": SILENCE_SECONDS, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3,
    }  # fmt: skip
    return known


def _broker(place: Place, heartbeat: int) -> Any:
    """No middleware: retries, delays and time limits are the business of the row, the same for all engines."""
    if place.is_redis:
        return RedisBroker(client=_redis_client(place.url), namespace=place.prefix, middleware=[])
    broker = RabbitmqBroker(confirm_delivery=True, middleware=[])
    broker.parameters = _rabbitmq_parameters(place.url, heartbeat)
    return broker


class DramatiqCarrier:
    """See crm.jobs.engines.carriers.Carrier."""

    def __init__(self, place: Place) -> None:
        self.place = place
        # Who only tells has no thread that would answer heartbeats.
        self._teller = _broker(place, heartbeat=0)

    def tell(self, queue: str, job_id: int) -> None:
        name = self.place.name(queue)
        word: Any = dramatiq.Message(queue_name=name, actor_name=ACTOR, args=(job_id,), kwargs={}, options={})
        try:
            if self.place.is_redis:
                self._teller.declare_queue(name)
            self._teller.enqueue(word)
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def waiting(self, queue: str) -> int:
        name = self.place.name(queue)
        try:
            if self.place.is_redis:
                return int(self._teller.client.llen(f"{self.place.prefix}:{name}"))
            with self._connection() as connection:
                return int(connection.channel().queue_declare(name, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return 0  # no such queue yet, or no more
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def check(self) -> None:
        try:
            if self.place.is_redis:
                self._teller.client.ping()
            else:
                self._connection().close()
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def forget(self) -> None:
        if self.place.is_redis:
            client = self._teller.client
            for key in client.scan_iter(f"{self.place.prefix}:*"):
                client.delete(key)
            return
        with self._connection() as connection:
            channel = connection.channel()
            for queue in list(self._teller.queues):
                for name in (queue, f"{queue}.DQ", f"{queue}.XQ"):
                    channel.queue_delete(name)

    def serve(self, queue: str, threads: int, look: Look, stop: threading.Event) -> None:
        broker = _broker(self.place, heartbeat=15)
        name = self.place.name(queue)
        dramatiq.actor(actor_name=ACTOR, queue_name=name, broker=broker)(look)
        worker = dramatiq.Worker(broker, queues={name}, worker_timeout=POLL_MILLISECONDS, worker_threads=threads)
        worker.start()
        stop.wait()
        worker.stop(timeout=int(carriers.ENDING_SECONDS * 1000))
        broker.close()

    def _connection(self) -> pika.BlockingConnection:
        return pika.BlockingConnection(_rabbitmq_parameters(self.place.url, heartbeat=0))


def _reason(fault: Exception) -> str:
    return str(fault) or repr(fault)
