"""The engine Celery, on Redis or on RabbitMQ."""

import threading
from typing import Any

from amqp.exceptions import AMQPError, ChannelError
from celery import Celery
from celery.exceptions import CeleryError
from celery.worker import state
from celery.worker.consumer import Consumer
from kombu.exceptions import KombuError, OperationalError

from crm.jobs.engines import carriers
from crm.jobs.engines.carriers import CONNECT_SECONDS, SILENCE_SECONDS, BrokerDown, Look, Place

TASK = "customerhub.look"
FAULTS = (AMQPError, CeleryError, KombuError, OperationalError, OSError)
NOT_FOUND = "404"
LONGEST_PAUSE_SECONDS = 5


class PatientConsumer(Consumer):
    """Asks for a broker that is away every few seconds, for ever; Celery's own pauses grow to half a minute."""

    def ensure_connected(self, conn: Any) -> Any:
        def missed(fault: Exception, seconds: float) -> None:
            reason = str(fault) or repr(fault)
            self.app.log.get_default_logger("crm.jobs").warning("the broker is away: %s", reason)

        connected = conn.ensure_connection(
            missed, None, callback=state.maybe_shutdown,
            interval_start=1, interval_step=1, interval_max=LONGEST_PAUSE_SECONDS,
        )  # fmt: skip
        self.first_connection_attempt = False
        return connected


def _transport_options(place: Place) -> dict[str, Any]:
    once = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    if place.is_redis:
        return once | {
            "global_keyprefix": f"{place.prefix}:", "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": SILENCE_SECONDS, "socket_keepalive": True,
        }  # fmt: skip
    return once | {"confirm_publish": True, "read_timeout": None, "write_timeout": SILENCE_SECONDS}


def _app(place: Place) -> Celery:
    app = Celery("customerhub", broker=place.url, set_as_current=False, fixups=[])
    app.conf.update(
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_heartbeat=15,
        broker_transport_options=_transport_options(place),
        task_acks_late=True,
        task_ignore_result=True,
        task_serializer="json",
        # One word at a time a thread, so that a free worker elsewhere finds those that wait.
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_consumer=f"{PatientConsumer.__module__}:{PatientConsumer.__name__}",
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
    )
    return app


class CeleryCarrier:
    """See crm.jobs.engines.carriers.Carrier."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._teller = _app(place)
        self._told: set[str] = set()

    def tell(self, queue: str, job_id: int) -> None:
        name = self.place.name(queue)
        self._told.add(name)
        try:
            self._teller.send_task(TASK, args=[job_id], queue=name, ignore_result=True, retry=False)
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def waiting(self, queue: str) -> int:
        try:
            with self._teller.connection_for_write() as connection:
                return int(connection.default_channel.queue_declare(self.place.name(queue), passive=True).message_count)
        except ChannelError as fault:
            if str(fault.reply_code) == NOT_FOUND:
                return 0  # no such queue yet, or no more
            raise BrokerDown(_reason(fault)) from fault
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def check(self) -> None:
        try:
            with self._teller.connection_for_write() as connection:
                channel: Any = connection.default_channel
                if self.place.is_redis:
                    channel.client.ping()
        except FAULTS as fault:
            raise BrokerDown(_reason(fault)) from fault

    def forget(self) -> None:
        with self._teller.connection_for_write() as connection:
            channel: Any = connection.default_channel
            for name in self._told:
                channel.queue_delete(name)

    def serve(self, queue: str, threads: int, look: Look, stop: threading.Event) -> None:
        """One a process: Celery keeps its event loop and the order to end in the module."""
        app = _app(self.place)
        app.task(name=TASK, shared=False)(look)
        app.set_default()
        app.finalize()

        controllers: list[Any] = []

        def work() -> None:
            app.set_current()
            controller = app.WorkController(
                concurrency=threads, pool_cls="threads", queues=[self.place.name(queue)],
                without_gossip=True, without_mingle=True, without_heartbeat=True,
            )  # fmt: skip
            controllers.append(controller)
            controller.start()

        worker = threading.Thread(target=work, name=f"celery {queue}", daemon=True)
        worker.start()
        stop.wait()
        state.should_stop = 0
        for controller in controllers:
            if controller.hub is not None:
                controller.hub.call_soon(lambda: None)  # it sleeps up to ten seconds and would see the order only then
        worker.join(carriers.ENDING_SECONDS)


def _reason(fault: Exception) -> str:
    return str(fault) or repr(fault)
