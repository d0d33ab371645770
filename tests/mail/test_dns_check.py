"""SPF, DKIM and DMARC looked up at a name server of our own, with every wrong record that people publish."""

from collections.abc import Callable, Iterator

import dns.resolver
import pytest

from crm.mail.dkim import Signer, make_key
from crm.mail.dmarc import organizational_domain, read_record, walk_tree
from crm.mail.dns_check import Check, check_domain
from crm.mail.dns_lookup import Lookup, NoAnswer
from crm.mail.message import BadAddress
from crm.mail.spf import merge_spf
from tests.mail.name_server import Zone, resolver_of, serving

# The public half of an RSA key of 512 bits (made with openssl genrsa 512).
SHORT = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALLzGBRkoaKDG0O5ZfY+1ucrGvFQPEyNbsY6ozQAffqKnRfmRRFAATqMZMSNv44xQ349Nhjrc+cIvKwdDF8OjiECAwEAAQ=="
SIGNER = Signer("example.com", "s2026", make_key("rsa"))


Look = Callable[..., Check]


@pytest.fixture(scope="module")
def name_server() -> Iterator[tuple[Zone, int]]:
    with serving() as found:
        yield found


@pytest.fixture
def zone(name_server: tuple[Zone, int]) -> Zone:
    """The server's zone, empty."""
    zone = name_server[0]
    zone.records.clear()
    zone.asked.clear()
    return zone


@pytest.fixture
def resolver(zone: Zone, name_server: tuple[Zone, int]) -> dns.resolver.Resolver:
    return resolver_of(name_server[1])


@pytest.fixture
def spf(zone: Zone, resolver: dns.resolver.Resolver) -> Look:
    def look(record: str = "", **named: object) -> Check:
        if record:
            zone.publish(f'example.com. 60 IN TXT "{record}"')
        return check_domain("example.com", keys={}, resolver=resolver, **named).spf  # type: ignore[arg-type]

    return look


@pytest.fixture
def dmarc(zone: Zone, resolver: dns.resolver.Resolver) -> Look:
    def look(domain: str, **named: object) -> Check:
        return check_domain(domain, keys={}, resolver=resolver, **named).dmarc  # type: ignore[arg-type]

    return look


def codes(check: Check) -> list[str]:
    assert all(finding.sentence.endswith((".", "…”.")) for finding in check.findings)
    return [finding.code for finding in check.findings]


def test_a_good_domain_is_good_throughout(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.publish('example.com. 60 IN TXT "v=spf1 include:_spf.hub.example -all"')
    zone.publish('_spf.hub.example. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"')
    zone.publish('_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:d@example.com"')
    zone.publish(SIGNER.zone_line.replace("(", "").replace(")", ""))
    zone.publish("example.com. 60 IN MX 10 mx.example.com.\nmx.example.com. 60 IN A 192.0.2.9")
    report = check_domain(
        "Example.COM",
        keys={"s2026": SIGNER.record},
        spf_include="_spf.hub.example",
        addresses=["192.0.2.7"],
        resolver=resolver,
    )
    assert (report.domain, report.level) == ("example.com", "ok")
    assert [codes(check) for check in report.checks] == [["ok"]] * 4


def test_spf_missing_and_twice(zone: Zone, spf: Look) -> None:
    assert codes(spf()) == ["missing"]
    zone.publish('example.com. 60 IN TXT "something else"\nexample.com. 60 IN TXT "v=spf10 -all"')
    assert codes(spf()) == ["missing"]
    zone.publish('example.com. 60 IN TXT "v=spf1 -all"\nexample.com. 60 IN TXT "V=SPF1 mx -all"')
    assert codes(spf()) == ["several"]


def test_spf_that_was_split_into_strings_is_joined_without_a_space(zone: Zone, spf: Look) -> None:
    addresses = " ".join(f"ip4:192.0.2.{n}" for n in range(20))
    record = f"v=spf1 {addresses} ip4:198.51.100.1 -all"
    assert len(record) > 300
    zone.publish(f'example.com. 60 IN TXT "{record[:250]}" "{record[250:]}"')
    check = spf(addresses=["198.51.100.1"])
    assert (codes(check), check.record) == (["ok"], record)


def test_spf_with_a_lost_space_at_the_split_is_a_syntax_problem(zone: Zone, spf: Look) -> None:
    zone.publish('example.com. 60 IN TXT "v=spf1 ip4:192.0.2.1" "ip4:192.0.2.2 -all"')
    assert "syntax" in codes(spf())


def test_spf_of_more_than_ten_look_ups_in_all_branches(zone: Zone, spf: Look) -> None:
    for n in range(4):
        zone.publish(f'i{n}.example. 60 IN TXT "v=spf1 a:h.example a:h.example ?all"')
    zone.publish("h.example. 60 IN A 192.0.2.1")
    check = spf("v=spf1 include:i0.example include:i1.example include:i2.example include:i3.example -all")
    assert codes(check) == ["lookups"]


def test_spf_of_exactly_ten_look_ups_is_good(zone: Zone, spf: Look) -> None:
    zone.publish("h.example. 60 IN A 192.0.2.1")
    check = spf("v=spf1 " + "a:h.example " * 10 + "-all")
    assert codes(check) == ["ok"]
    assert "10 of 10" in check.findings[0].sentence


def test_spf_with_names_that_lead_nowhere(spf: Look) -> None:
    assert codes(spf("v=spf1 a:x1.example a:x2.example a:x3.example -all")) == ["voids"]


def test_spf_in_a_circle_ends(zone: Zone, spf: Look) -> None:
    zone.publish('a.example. 60 IN TXT "v=spf1 include:example.com -all"')
    assert "loop" in codes(spf("v=spf1 include:a.example -all"))


def test_spf_redirecting_to_itself_ends(spf: Look) -> None:
    assert "loop" in codes(spf("v=spf1 redirect=example.com"))


def test_spf_follows_a_redirect_for_its_end_and_its_addresses(zone: Zone, spf: Look) -> None:
    zone.publish('r.example. 60 IN TXT "v=spf1 ip6:2001:db8::/32 -all"')
    assert codes(spf("v=spf1 redirect=r.example", addresses=["2001:db8::1"])) == ["ok"]


def test_spf_that_includes_a_name_without_spf(spf: Look) -> None:
    assert codes(spf("v=spf1 include:nothing.example -all")) == ["broken_include"]


def test_spf_that_does_not_allow_us_says_what_to_add(zone: Zone, spf: Look) -> None:
    zone.publish("example.com. 60 IN MX 10 mx.example.com.\nmx.example.com. 60 IN A 192.0.2.9")
    check = spf("v=spf1 mx -all", addresses=["192.0.2.9", "2001:db8::5"])
    assert codes(check) == ["not_allowed"]
    assert "ip6:2001:db8::5" in check.findings[0].sentence
    assert codes(spf(addresses=["192.0.2.9"])) == ["ok"]
    assert codes(spf(spf_include="_spf.hub.example")) == ["not_allowed"]


@pytest.mark.parametrize(
    ("end", "code"),
    [("~all", "softfail"), ("?all", "neutral"), ("", "neutral"), ("+all", "all_may"), ("all", "all_may")],
)
def test_spf_endings(spf: Look, end: str, code: str) -> None:
    assert codes(spf(f"v=spf1 ip4:192.0.2.0/24 {end}")) == [code]


def test_spf_macros_and_dual_prefixes_do_no_harm(zone: Zone, spf: Look) -> None:
    zone.publish("example.com. 60 IN A 192.0.2.1\nexample.com. 60 IN AAAA 2001:db8::1")
    check = spf(
        "v=spf1 exists:%{i}._spf.example.com a/24//64 ip4:192.0.2.300 -all", addresses=["192.0.2.77", "2001:db8::77"]
    )
    assert codes(check) == ["syntax"]


@pytest.mark.parametrize("domain", ["broken.example", "garbage.example", "silent.example"])
def test_a_name_server_that_fails_talks_nonsense_or_is_silent_is_unknown_not_missing(
    resolver: dns.resolver.Resolver, domain: str
) -> None:
    report = check_domain(domain, keys={"s": "p=x"}, resolver=resolver, seconds=0.1)
    assert [codes(check) for check in report.checks] == [["no_answer"]] * 4
    assert {check.level for check in report.checks} == {"unknown"}


def test_a_check_of_servers_that_dawdle_is_given_up_as_a_whole(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    with pytest.raises(NoAnswer, match="so slowly"):
        Lookup(resolver, in_all=0).texts("example.com")
    assert zone.asked == []


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ("", "missing"),
        ("example.com. 60 IN MX 0 .", "no_mail"),
        ("example.com. 60 IN MX 10 gone.example.com.", "dead_host"),
        ("example.com. 60 IN A 192.0.2.1", "implicit"),
        ("example.com. 60 IN MX 10 m.example.com.\nm.example.com. 60 IN AAAA 2001:db8::1", "ok"),
    ],
)
def test_the_way_back_of_bounces(zone: Zone, resolver: dns.resolver.Resolver, records: str, code: str) -> None:
    zone.publish(records)
    found = check_domain("example.com", keys={}, resolver=resolver).return_path
    assert found is not None
    assert codes(found) == [code]


@pytest.mark.parametrize(
    ("records", "wanted", "merged"),
    [
        ([], "include:a.example", "v=spf1 include:a.example ~all"),
        (["v=spf1 mx -all"], "include:a.example", "v=spf1 mx include:a.example -all"),
        (["v=spf1 mx ~all", "V=SPF1 MX ip4:192.0.2.1 -all"], "", "v=spf1 mx ip4:192.0.2.1 ~all"),
        (["v=spf1 a +all"], "ip4:192.0.2.1", "v=spf1 a ip4:192.0.2.1 ~all"),
        (["v=spf1 redirect=b.example"], "ip4:192.0.2.1", "v=spf1 ip4:192.0.2.1 redirect=b.example"),
        (["v=spf1 redirect=b.example", "v=spf1 mx"], "", "v=spf1 mx include:b.example ~all"),
        (["v=spf1 include:a.example -all"], "include:A.example", "v=spf1 include:a.example -all"),
    ],
)
def test_spf_records_are_joined_into_the_one_to_publish(records: list[str], wanted: str, merged: str) -> None:
    assert merge_spf(records, wanted) == merged


@pytest.mark.parametrize(
    ("published", "code"),
    [
        ("", "missing"),
        ("v=DKIM1; k=rsa; p=", "revoked"),
        ("v=DKIM1; k=rsa; p=AAAA", "other_key"),
        ("v=DKIM1; k=rsa; p=%%%not base64%%%", "other_key"),
        (f"v=DKIM1; k=rsa; p={SHORT}", "short_key"),
        (SIGNER.record[:200], "cut"),
        (SIGNER.record.replace("k=rsa", "k=ed25519"), "other_kind"),
        ("nothing of the kind", "missing"),
    ],
)
def test_dkim_records_that_do_not_fit(zone: Zone, resolver: dns.resolver.Resolver, published: str, code: str) -> None:
    if published:
        zone.publish(f'{SIGNER.record_name}. 60 IN TXT "{published[:250]}" "{published[250:]}"')
    (check,) = check_domain("example.com", keys={"s2026": SIGNER.record}, resolver=resolver).dkim
    assert codes(check) == [code]


def test_dkim_split_with_spaces_is_ours_and_a_test_flag_is_told(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    text = SIGNER.record.replace("k=rsa;", "t=y; k=rsa;")
    zone.publish(f'{SIGNER.record_name}. 60 IN TXT "{text[:200]} " "{text[200:]}"')
    (check,) = check_domain("example.com", keys={"s2026": SIGNER.record}, resolver=resolver).dkim
    assert codes(check) == ["testing"]


def test_a_domain_without_a_key_is_told(resolver: dns.resolver.Resolver) -> None:
    assert codes(check_domain("example.com", keys={}, resolver=resolver).dkim[0]) == ["no_key"]


def test_dmarc_missing_and_found_at_the_parent(zone: Zone, dmarc: Look) -> None:
    assert codes(dmarc("news.example.com")) == ["missing"]
    zone.publish('_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; sp=none; rua=mailto:d@example.com"')
    check = dmarc("news.example.com")
    assert (codes(check), check.name) == (["none"], "example.com")
    assert codes(dmarc("example.com")) == ["ok"]


def test_dmarc_tree_walk_is_short_for_long_names(zone: Zone, dmarc: Look) -> None:
    dmarc("a.b.c.d.e.f.g.h.i.j.example.com")
    asked = [name for name in zone.asked if name.startswith("_dmarc")]
    assert asked[0] == "_dmarc.a.b.c.d.e.f.g.h.i.j.example.com. TXT"
    assert asked[1] == "_dmarc.f.g.h.i.j.example.com. TXT"
    assert len(set(asked)) == 8


def test_dmarc_stops_at_a_public_suffix(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.publish(
        '_dmarc.gov.example. 60 IN TXT "v=DMARC1; psd=y; p=reject"\n_dmarc.example. 60 IN TXT "v=DMARC1; p=none"'
    )
    found = walk_tree("mail.tax.gov.example", Lookup(resolver))
    assert organizational_domain("mail.tax.gov.example", found) == "tax.gov.example"
    zone.publish('_dmarc.tax.gov.example. 60 IN TXT "v=DMARC1; psd=n; p=none"')
    found = walk_tree("mail.tax.gov.example", Lookup(resolver))
    assert organizational_domain("mail.tax.gov.example", found) == "tax.gov.example"
    assert len(found) == 1


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=DMARC1", ["none", "no_reports"]),
        ("v=DMARC1; p=quarantine; rua=mailto:a@example.com; t=y; future=1", ["testing"]),
        ("v=DMARC1; p=reject; pct=50; ri=3600; rf=afrf; rua=mailto:a@example.com", ["old_tags"]),
        ("v=DMARC1; p=rejct; rua=mailto:a@example.com", ["bad_policy"]),
        ("v=DMARC1;p=reject;rua=mailto:a@example.com;broken;=;", ["ok"]),
        ("v=DMARC2; p=reject", ["missing"]),
        ("p=reject; v=DMARC1", ["missing"]),
    ],
)
def test_dmarc_records_new_old_and_broken(zone: Zone, dmarc: Look, record: str, expected: list[str]) -> None:
    zone.publish(f'_dmarc.example.com. 60 IN TXT "{record}"')
    assert codes(dmarc("example.com")) == expected


def test_two_dmarc_records_count_as_none(zone: Zone, dmarc: Look) -> None:
    zone.publish('_dmarc.example.com. 60 IN TXT "v=DMARC1; p=none"\n_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject"')
    assert codes(dmarc("example.com")) == ["several"]


def test_bounces_to_another_domain_do_not_align(zone: Zone, dmarc: Look) -> None:
    zone.publish('_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:a@example.com"')
    assert codes(dmarc("example.com", return_path_domain="bounce.example.net")) == ["not_aligned"]
    assert codes(dmarc("example.com", return_path_domain="mail.example.com")) == ["ok"]
    zone.publish('_dmarc.strict.example. 60 IN TXT "v=DMARC1; p=reject; aspf=s; rua=mailto:a@strict.example"')
    assert codes(dmarc("strict.example", return_path_domain="mail.strict.example")) == ["strict_spf"]


def test_signed_by_a_parent_and_reports_to_strangers(zone: Zone, dmarc: Look) -> None:
    zone.publish('_dmarc.example.com. 60 IN TXT "v=DMARC1; p=reject; adkim=s; rua=mailto:a@reports.example,x"')
    assert codes(dmarc("news.example.com", signing_domain="example.com")) == [
        "strict_dkim", "reports_refused", "bad_reports",
    ]  # fmt: skip
    zone.publish('example.com._report._dmarc.reports.example. 60 IN TXT "v=DMARC1"')
    assert codes(dmarc("example.com")) == ["bad_reports"]


def test_a_record_is_read_leniently() -> None:
    assert read_record(" v = DMARC1 ; P=None ; p=reject") == {"p": "None"}
    assert read_record("v=dmarc1; p=none") is None


def test_what_is_no_domain_is_refused(resolver: dns.resolver.Resolver) -> None:
    with pytest.raises(BadAddress):
        check_domain("not a domain", keys={}, resolver=resolver)
