"""The formula dialect: the cookbook of spec/platform.md 2.6, its date idioms, its limits and its errors."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.engine.tags import TagError, parse
from crm.engine.tags.evaluate import evaluate
from crm.engine.tags.meaning import FormulaError
from crm.engine.tags.moments import Phrase, read_moment, show_date

HELSINKI = ZoneInfo("Europe/Helsinki")
NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)  # Sunday 22 November 00:30 in Helsinki


def run(text, **values):
    return evaluate(parse(text, "formula"), values, NOW, HELSINKI)


ROWS = [{"total": Decimal("10.50"), "name": "a"}, {"total": "20", "name": "b"}, {"total": None, "name": "c"}]


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        # the cookbook of 2.6, in its order
        ('{"Y-m-d"|date}', {}, "2026-11-22"),
        ('{assign var="t" value="+14 days"|strtotime}{"Y-m-d"|date:$t}', {}, "2026-12-06"),
        ('{assign var="t" value="next monday"|strtotime}{"Y-m-d"|date:$t}', {}, "2026-11-23"),
        (
            '{assign var="t" value="$invoicedate + $payment_term days"|strtotime}{"Y-m-d"|date:$t}',
            {"invoicedate": date(2026, 1, 20), "payment_term": 14},
            "2026-02-03",
        ),
        ('{math equation="a+b" a=$f1|default:0 b=$f2|default:0}', {"f1": "2.5", "f2": None}, "2.5"),
        ('{if $x != 0}{math equation="a/b" a=1 b=$x}{else}1{/if}', {"x": 0}, "1"),
        ('{if $x != 0}{math equation="a/b" a=1 b=$x}{else}1{/if}', {"x": None}, "1"),
        ('{if $x != 0}{math equation="a/b" a=1 b=$x}{else}1{/if}', {"x": 4}, "0.25"),
        ("{if $stage == 'Won'}Congratulations{else}Go on{/if}", {"stage": "Won"}, "Congratulations"),
        ("{if $wf_won==1}customer{else}{$accounttype}{/if}", {"wf_won": True, "accounttype": "lead"}, "customer"),
        ("{if $wf_won==1}customer{else}{$accounttype}{/if}", {"wf_won": False, "accounttype": "lead"}, "lead"),
        ('{"$first $last"|trim}', {"first": "Aino", "last": "Aalto"}, "Aino Aalto"),
        ("{if $phone==''}No phone number!{/if}", {"phone": None}, "No phone number!"),
        ("{if $phone==''}No phone number!{/if}", {"phone": "0401"}, ""),
        ("{if $rel_bill_street}{$rel_bill_street}{else}{$mailingstreet}{/if}", {"mailingstreet": "Katu 1"}, "Katu 1"),
        ("{$rows|rows_sum:'total'}", {"rows": ROWS}, "30.5"),
        ("{$rows|rows_count}", {"rows": ROWS}, "3"),
        ("{$rows|rows_max:'total'}", {"rows": ROWS}, "20"),
        ("{$name|upper}", {"name": "åke"}, "ÅKE"),
        ('{assign var=t value="last day of this month"|strtotime}{"Y-m-d"|date:$t}', {}, "2026-11-30"),
        # the rest of the language
        ("{foreach from=$rows item=row}{$row.name};{/foreach}", {"rows": ROWS}, "a;b;c;"),
        ("{foreach $rows as $row}{if $row.total > 15}{$row.name}{/if}{/foreach}", {"rows": ROWS}, "b"),
        ("{$account.industry|default:'none'}", {"account": {"industry": "Steel"}}, "Steel"),
        ("{$account.industry|default:'none'}", {"account": None}, "none"),
        ("{literal}{$x}{/literal} { $x }", {"x": 1}, "{$x} { $x }"),
        ("{'{$x}'} {\"{$x}!\"}", {"x": 1}, "{$x} 1!"),
        ("{if $a && !$b || $c}y{else}n{/if}", {"a": 1, "b": 0, "c": 0}, "y"),
        ("{if $a gt 2 and $b eq 'x'}y{elseif $a lte 2}m{else}n{/if}", {"a": 2, "b": "x"}, "m"),
        ("{if $a < $b}y{else}n{/if}", {"a": "9", "b": "10"}, "y"),
        ("{$a + $b * 2}", {"a": 1, "b": "3"}, "7"),
        ("{math equation='max(a, b, 3) * pow(2, 3) - sqrt(c)' a=1 b=2 c=16}", {}, "20"),
        ("{math equation='round(a, 2)' a=1.005}", {}, "1.01"),
        ("{math equation='a/3' a=1 format='%.2f'}", {}, "0.33"),
        ("{math equation='a+1' a=$x assign=y}{$y}", {"x": " 41 "}, "42"),
        ("{$d|date_format:'%d.%m.%Y'}", {"d": date(2026, 2, 3)}, "03.02.2026"),
        ("{$d|date_format:'%d.%m.%Y'}", {"d": None}, ""),
        ("{$n|number_format:2:',':' '}", {"n": Decimal("1234567.895")}, "1 234 567,90"),
        ("{$n|string_format:'%05.1f'}|{$n|round:1}|{$n|floor}|{$n|ceil}|{$n|intval}", {"n": "2.25"}, "002.2|2.3|2|3|2"),
        ("{$s|truncate:10}", {"s": "one two three four"}, "one two..."),
        ("{$s|substr:-4}{$s|substr:0:3}", {"s": "abcdefg"}, "defgabc"),
        ("{$s|capitalize|replace:'A':'-'|cat:'!'}", {"s": "ab äb"}, "-b Äb!"),
        ("{$s|regex_replace:'/[^0-9]+/':''}", {"s": "+358 (40) 12"}, "3584012"),
        ("{$s|regex_replace:'/(\\\\w+) (\\\\w+)/':'$2 $1'}", {"s": "ab cd"}, "cd ab"),
        ("{$s|strip_tags|escape}", {"s": "<b>x</b> & y"}, "x &amp; y"),
        ("{$s|count_characters} {$s|count_characters:true}", {"s": "a b"}, "2 3"),
        ("{$flag}{$no}{$none}", {"flag": True, "no": False, "none": None}, "1"),
        ("{0.1 + 0.2}", {}, "0.3"),
    ],
)
def test_cookbook(text, values, result):
    assert run(text, **values) == result


@pytest.mark.parametrize(
    ("phrase", "shown"),
    [
        ("today", "2026-11-22 00:00"),
        ("now", "2026-11-22 00:30"),
        ("tomorrow noon", "2026-11-23 12:00"),
        ("yesterday", "2026-11-21 00:00"),
        ("monday", "2026-11-23 00:00"),
        ("sunday", "2026-11-22 00:00"),
        ("next sunday", "2026-11-29 00:00"),
        ("last friday", "2026-11-20 00:00"),
        ("first day of next month", "2026-12-01 00:30"),
        ("last day of february 2026-02-10", None),
        ("first monday of next month", "2026-12-07 00:00"),
        ("last friday of 2026-02-01", "2026-02-27 00:00"),
        ("+1 week", "2026-11-29 00:30"),
        ("-3 day", "2026-11-19 00:30"),
        ("2 days ago", "2026-11-20 00:30"),
        ("2026-01-31 +1 month", "2026-02-28 00:00"),
        ("2028-02-29 +1 year", "2029-02-28 00:00"),
        ("2026-01-31 12:45", "2026-01-31 12:45"),
        ("2026-01-31T12:45:00Z", "2026-01-31 14:45"),
        ("31.1.2026 + 2 days", "2026-02-02 00:00"),
        ("2026-03-28 23:00 +1 day", "2026-03-29 23:00"),
        ("+3 weekdays", "2026-11-25 00:30"),
        ("@0", "1970-01-01 02:00"),
    ],
)
def test_date_phrases_in_the_zone_of_the_site(phrase, shown):
    if shown is None:
        with pytest.raises(Phrase):
            read_moment(phrase, NOW, HELSINKI)
    else:
        assert show_date("Y-m-d H:i", read_moment(phrase, NOW, HELSINKI), HELSINKI) == shown


@pytest.mark.parametrize(
    ("text", "values", "reason"),
    [
        ("{math equation='a/b' a=1 b=0}", {}, "division by zero"),
        ("{math equation='a+b' a=$x b=1}", {"x": ""}, "a is empty; write |default:0"),
        ("{math equation='a+1' a=$x}", {"x": "12 kg"}, '"12 kg" is not a number'),
        ("{math equation='a+b' a=1}", {}, "b of the equation was given no value"),
        ("{math equation='pow(a, 1000000000)' a=10}", {}, "at most 100"),
        ("{math equation='pow(a, 90)' a=1000}", {}, "no result"),
        ("{math equation='sqrt(a)' a=-1}", {}, "no result"),
        ("{math equation='system(a)' a=1}", {}, "not a function"),
        ("{$x|system}", {"x": 1}, "unknown modifier |system"),
        ("{$x|round:1:2:3}", {"x": 1}, "takes 0 to 1 arguments"),
        ('{assign var=t value="$d + $n days"|strtotime}{$t}', {"d": "2026-01-01", "n": ""}, "a number is missing"),
        ('{"gibberish"|strtotime}', {}, "is not a date"),
        ('{"2026-02-30"|strtotime}', {}, "is not a date"),
        ("{foreach $rows as $r}x{/foreach}", {"rows": [{}] * 1001}, "more than 1,000 rows"),
        ("{$s|replace:'a':'aaaaaaaaaaaaaaaaaaaa'}", {"s": "a" * 10_000}, "longer than"),
        ("{$s|regex_replace:'/(/':''}", {"s": "a"}, "cannot be used"),
        ("{$s|regex_replace:'/(?=a)a/':''}", {"s": "a"}, "cannot be used"),
        ("{99999999999999999999999999999999 * 2}", {}, "too large"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_reason(text, values, reason):
    with pytest.raises(FormulaError) as caught:
        run(text, **values)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{php}echo 1;{/php}",
        "{$x",
        "{if $x}y",
        "{include file='x'}",
        "{$x|}",
        "{math a=1}",
        "{assign var=1 value=2}",
        "{$x->y()}",
        "{foo}",
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(text):
    with pytest.raises(TagError) as caught:
        parse(text, "formula")
    assert caught.value.line == 1


def test_a_formula_of_more_than_16_kb_is_refused():
    parse("x" * 16 * 1024, "formula")
    with pytest.raises(TagError, match="16,384 bytes"):
        parse("x" * (16 * 1024 + 1), "formula")


@pytest.mark.parametrize(
    "text",
    [
        "{foreach $rows as $a}{foreach $rows as $b}{foreach $rows as $c}x{/foreach}{/foreach}{/foreach}",
        "{$s|regex_replace:'/(a+)+$/':''}",
        "{$s|regex_replace:'/(a|a)*b/':''}",
        "{foreach $rows as $a}" + "{$s|upper|lower|upper|lower|trim|count_characters}" * 40 + "{/foreach}",
        "{$s|strip_tags}" + "{$x|string_format:'%999s'}" * 100,
    ],
)
def test_no_formula_holds_the_house_up(text):
    start = time.monotonic()
    try:
        run(text, rows=[{"a": 1}] * 1000, s="a" * 50_000 + "!", x="1")
    except FormulaError:
        pass
    assert time.monotonic() - start < 1.0


@given(st.text(alphabet="{}$abif|:'\"math=() 0+-*/", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_computed_or_refused(text):
    result: object = None
    try:
        result = evaluate(parse(text, "formula"), {"a": "1", "b": None}, NOW, UTC)
    except (TagError, FormulaError) as error:
        result = str(error)
    assert isinstance(result, str)
