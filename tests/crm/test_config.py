"""Settings that cannot be used are refused at the start, with the setting and the fault named."""

import pytest

from crm import config


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SCANNER_NETWORKS", "203.0.113.0/24, nowhere", "names “nowhere”, which is no address or network"),
        ("NAME_SERVERS", "192.0.2.1, ns.example.com", "names “ns.example.com”, which is no IP address"),
        ("NAME_SERVERS", "192.0.2.1:99999", "names “192.0.2.1:99999”, which is no IP address"),
        ("QUEUE_ENGINE", "magic", "takes one of: embedded, dramatiq, celery"),
        ("SEND_RATE", "fast", "takes a float"),
    ],
)
def test_a_value_that_cannot_be_is_named(name, value, fault):
    with pytest.raises(config.BadSetting, match=fault) as refused:
        config.load({f"CUSTOMERHUB_{name}": value})
    assert f"CUSTOMERHUB_{name}" in str(refused.value)


def test_name_servers_have_a_port_where_it_is_not_53():
    said = config.name_servers("192.0.2.1, [2001:db8::1]:5353,")
    assert said == [("192.0.2.1", 53), ("2001:db8::1", 5353)]
