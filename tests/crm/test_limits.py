"""Rate limits and the question who is asking."""

import pytest

from crm.limits import Limiter, Rate, key_of, shortened, source_of


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_source_may_ask_as_often_as_said_and_then_waits():
    clock = Clock()
    limiter = Limiter(Rate(3, 60), clock)
    assert [limiter.take("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("a") == pytest.approx(20)
    assert limiter.take("b") == 0.0
    clock.at += 20
    assert limiter.take("a") == 0.0
    assert limiter.take("a") > 0


def test_waiting_long_gives_no_more_than_the_count():
    clock = Clock()
    limiter = Limiter(Rate(2, 10), clock)
    clock.at += 100_000
    assert [limiter.take("a") == 0.0 for _ in range(3)] == [True, True, False]


def test_a_clock_that_jumps_back_locks_nobody_out():
    clock = Clock()
    limiter = Limiter(Rate(2, 10), clock)
    limiter.take("a")
    clock.at -= 3600
    assert limiter.take("a") == 0.0


def test_a_rate_of_nothing_is_no_limit():
    limiter = Limiter(Rate(0, 10))
    assert all(limiter.take("a") == 0.0 for _ in range(1000))


def test_a_flood_of_sources_does_not_fill_the_memory():
    limiter = Limiter(Rate(1, 10), most_keys=100)
    for number in range(1000):
        limiter.take(str(number))
    assert len(limiter._buckets) == 100


def test_a_forwarded_address_counts_only_from_a_trusted_proxy():
    assert source_of("198.51.100.9", "203.0.113.5", "") == "198.51.100.9"
    assert source_of("127.0.0.1", "203.0.113.5", "127.0.0.0/8") == "203.0.113.5"
    assert source_of("127.0.0.1", None, "127.0.0.0/8") == "127.0.0.1"


def test_what_a_stranger_wrote_left_of_the_first_untrusted_hop_is_not_believed():
    assert source_of("10.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.2", "10.0.0.0/8") == "203.0.113.5"
    assert source_of("10.0.0.1", "1.2.3.4, nonsense, 10.0.0.2", "10.0.0.0/8") == "10.0.0.2"


def test_an_ipv6_host_is_one_source_however_many_addresses_it_has():
    assert key_of("2001:db8:1:2::1") == key_of("2001:db8:1:2:ffff::9") != key_of("2001:db8:1:3::1")
    assert key_of("::ffff:192.0.2.7") == key_of("192.0.2.7") == "192.0.2.7"
    assert key_of("not an address") == "?"
    assert key_of("::1") == "::"


def test_addresses_are_cut_before_they_are_kept():
    assert shortened("192.0.2.77") == "192.0.2.0"
    assert shortened("2001:db8:1:2::1") == "2001:db8:1::"
    assert shortened("") == ""


def test_a_misspelt_proxy_network_is_named():
    with pytest.raises(ValueError, match="TRUSTED_PROXIES"):
        source_of("10.0.0.1", None, "10.0.0.0/33")
