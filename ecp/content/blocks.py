"""The parts that the visual editor offers, as MJML: what a mail is put together of, in the organisation's colours and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from crm.words import N_, _

DEFAULT_COLOUR = "#3654c4"
PLAIN_FONT = "Helvetica, Arial, sans-serif"
FONTS = (
    (PLAIN_FONT, "Helvetica"),
    ("Georgia, 'Times New Roman', serif", "Georgia"),
    ("Verdana, Geneva, sans-serif", "Verdana"),
    ("'Trebuchet MS', Tahoma, sans-serif", "Trebuchet"),
    ("'Courier New', Courier, monospace", "Courier"),
)  # fonts that mail programs have: nothing is fetched from a host of fonts


@dataclass(frozen=True, slots=True)
class Brand:
    """Who speaks in the mail. `colour`: #rrggbb; `logo`: a full address, or ""."""

    name: str = ""
    colour: str = DEFAULT_COLOUR
    logo: str = ""
    address: str = ""

    @property
    def on_colour(self) -> str:
        """Black or white, whichever is read better on the colour."""
        red, green, blue = (int(self.colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        return "#ffffff" if light < 0.36 else "#111827"

    @property
    def swatches(self) -> list[str]:
        """Colours that are offered first."""
        return [self.colour, "#111827", "#4b5563", "#e5e7eb", "#f4f5f7", "#ffffff"]


@dataclass(frozen=True, slots=True)
class EventSaid:
    """An event as its part of a mail shows it. `href`: an address or a link tag."""

    key: str
    name: str
    when: str
    place: str
    href: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part: `label` is translated already."""

    key: str
    label: str
    icon: str
    mjml: str


def _row(inside: str, background: str = "#ffffff", padding: str = "16px 24px") -> str:
    surface = "paper" if background == "#ffffff" else "page"  # as the dark styles of our mails know them
    return (
        f'<mj-section css-class="{surface}" background-color="{background}" padding="{padding}">{inside}</mj-section>'
    )


def _column(*inside: str, width: str = "") -> str:
    said = f' width="{width}"' if width else ""
    return f"<mj-column{said}>{''.join(inside)}</mj-column>"


def _text(html: str, more: str = 'font-size="16px" line-height="1.5" color="#1f2933"') -> str:
    return f'<mj-text font-family="{PLAIN_FONT}" {more}>{html}</mj-text>'


def _button(words: str, href: str, brand: Brand) -> str:
    return (
        f'<mj-button href="{escape(href)}" background-color="{brand.colour}" color="{brand.on_colour}" font-family="{PLAIN_FONT}" '
        f'font-size="16px" border-radius="6px" inner-padding="12px 24px">{escape(words)}</mj-button>'
    )


def header(brand: Brand) -> str:
    """The logo, or the name where there is none."""
    if brand.logo:
        inside = f'<mj-image src="{escape(brand.logo)}" alt="{escape(brand.name or _("Logo"))}" width="160px" align="left" />'
    else:
        inside = _text(
            escape(brand.name or _("Your organisation")), f'font-size="22px" font-weight="bold" color="{brand.colour}"'
        )
    return _row(_column(inside), padding="24px 24px 8px")


def footer(brand: Brand) -> str:
    """Who sends it, and how to leave: every marketing mail needs it."""
    who = "<br />".join(escape(line.strip()) for line in [brand.name, *brand.address.splitlines()] if line.strip())
    leave = (
        f'<a href="{{$links.online}}">{_("Read in the browser")}</a> · <a href="{{$links.preferences}}">{_("Preferences")}</a> · '
        f'<a href="{{$links.unsubscribe}}">{_("Unsubscribe")}</a>'
    )
    said = 'font-size="13px" line-height="1.5" color="#5a6372" align="center"'
    return _row(_column(_text(f"{who}<br />{leave}" if who else leave, said)), "#f4f5f7")


def social(brand: Brand) -> str:
    """Links in words: pictures of networks would come from other hosts."""
    sites = (("LinkedIn", "https://www.linkedin.com/"), ("Instagram", "https://www.instagram.com/"), ("Facebook", "https://www.facebook.com/"), ("YouTube", "https://www.youtube.com/"))  # fmt: skip
    links = " · ".join(f'<a href="{href}" style="color:{brand.colour}">{name}</a>' for name, href in sites)
    return _text(links, 'font-size="14px" line-height="1.5" align="center"')


def event(brand: Brand, said: EventSaid | None) -> str:
    """Name, time, place and the way to join."""
    name, when, place, href = (
        (said.name, said.when, said.place, said.href)
        if said
        else (_("Name of the event"), _("Day and time"), _("Place"), "https://example.com/")
    )
    facts = " · ".join(escape(one) for one in (when, place) if one)
    return _row(
        _column(
            _text(f'<h2 style="margin:0;font-size:20px;line-height:1.3">{escape(name)}</h2>', 'color="#1f2933"'),
            _text(facts, 'font-size="15px" line-height="1.5" color="#4b5563"') if facts else "",
            _button(_("Join"), href, brand),
        )
    )


def survey(brand: Brand, href: str) -> str:
    """A button to a survey that is answered by the person alone."""
    return _button(_("Answer the survey"), href or "https://example.com/", brand)


def _words(brand: Brand) -> str:
    return _text(_("Write here."))


def _image(brand: Brand) -> str:
    return '<mj-image src="" alt="" />'


def _menu(brand: Brand) -> str:
    links = " · ".join(f'<a href="https://example.com/" style="color:{brand.colour}">{name}</a>' for name in (_("News"), _("Events"), _("Contact")))  # fmt: skip
    return _text(links, 'font-size="15px" line-height="1.5" align="center"')


def _video(brand: Brand) -> str:
    """A still that leads to the film: mail programs play none."""
    href = "https://example.com/"
    return f'<mj-image src="" alt="" href="{href}" />' + _button(f"▶ {_('Watch the video')}", href, brand)


def _html(brand: Brand) -> str:
    return _text(f'<p style="margin:0">{_("Your own HTML: change it at the right.")}</p>')


def _columns(*widths: str) -> Callable[[Brand], str]:
    return lambda brand: _row("".join(_column(_text(_("Write here.")), width=width) for width in widths))


MAKERS: tuple[tuple[str, str, str, Callable[[Brand], str]], ...] = (
    ("header", N_("Header"), "layout-navbar", header),
    ("text", N_("Text"), "text-caption", _words),
    ("heading", N_("Heading"), "heading", lambda brand: _text(f'<h2 style="margin:0;font-size:24px;line-height:1.3">{_("Heading")}</h2>', 'color="#1f2933"')),
    ("image", N_("Picture"), "photo", _image),
    ("button", N_("Button"), "square-rounded", lambda brand: _button(_("Read more"), "https://example.com/", brand)),
    ("columns-1", N_("1 column"), "rectangle", _columns("")),
    ("columns-2", N_("2 columns"), "columns-2", _columns("", "")),
    ("columns-3", N_("3 columns"), "columns-3", _columns("", "", "")),
    ("columns-4", N_("4 columns"), "layout-columns", _columns("", "", "", "")),
    ("columns-1-2", N_("1/3 and 2/3"), "layout-sidebar", _columns("33.33%", "66.66%")),
    ("columns-2-1", N_("2/3 and 1/3"), "layout-sidebar-right", _columns("66.66%", "33.33%")),
    ("divider", N_("Line"), "minus", lambda brand: '<mj-divider border-color="#e5e7eb" border-width="1px" />'),
    ("spacer", N_("Space"), "spacing-vertical", lambda brand: '<mj-spacer height="24px" />'),
    ("menu", N_("Menu"), "menu-2", _menu),
    ("video", N_("Video"), "player-play", _video),
    ("html", N_("HTML"), "code", _html),
    ("social", N_("Social"), "share", social),
)  # fmt: skip


def blocks(brand: Brand, events: list[EventSaid], first_survey: str = "") -> list[Block]:
    """Every part in the order in which it is offered. `first_survey`: the link tag of a survey, "" when there is none."""
    made = [Block(key, _(label), icon, make(brand)) for key, label, icon, make in MAKERS]
    made.append(Block("survey", _("Survey button"), "clipboard-check", survey(brand, first_survey)))
    if not events:
        made.append(Block("event", _("Event"), "calendar-event", event(brand, None)))
    made += [
        Block(f"event-{one.key}", _("Event: %(name)s", name=one.name[:40]), "calendar-event", event(brand, one))
        for one in events
    ]
    made.append(Block("footer", _("Footer"), "layout-bottombar", footer(brand)))
    return made
